"""A resolved job as a row holds it, and as the rows of the first versions held it."""

from modules.jobs.kinds.base import Pass, ResolvedJob, Saving, Source, Sources, Words
from tests.jobs.made_jobs import HASH, flat_row

JOB = ResolvedJob(
    kind="txt2img",
    words=Words(prompt="red heart", negative_prompt="blue"),
    sources=Sources(checkpoint=Source(name="emoji", hash=HASH)),
    passes=(Pass(width=512, height=768, steps=20, sampler_name="Euler a", scheduler="Automatic", cfg_scale=7.0),),
    seed=1000,
    batch_size=2,
    n_iter=3,
    dtype="float32",
    threads=2,
    version="0.1.0",
    saving=Saving(
        save_images=True,
        save_partial=False,
        mark_partial=False,
        add_model_name_to_info=True,
        add_model_hash_to_info=False,
        add_version_to_infotext=True,
    ),
    environment={"torch": "2.13"},
)


def test_a_row_is_read_as_it_was_written() -> None:
    assert ResolvedJob.model_validate(JOB.model_dump()) == JOB
    assert ResolvedJob.model_validate_json(JOB.model_dump_json()) == JOB


def test_a_row_of_the_versions_that_knew_one_pass_is_read() -> None:
    row = flat_row(
        negative_prompt="blue", batch_size=2, n_iter=3, add_model_hash_to_info=False, mark_partial=False,
        environment={"torch": "2.13"},
    )  # fmt: skip
    assert ResolvedJob.model_validate(row) == JOB


def test_what_the_very_first_rows_lack_is_what_was_done_then() -> None:
    row = flat_row()
    del row["mark_partial"], row["environment"]
    job = ResolvedJob.model_validate(row)
    assert (job.saving.mark_partial, job.environment) == (True, None)


def test_pictures_are_counted_over_all_batches_and_sized_by_the_last_pass() -> None:
    assert (JOB.image_count, JOB.seed_of(4), JOB.size) == (6, 1004, (512, 768))
    larger = JOB.passes[0].model_copy(update={"width": 1024, "height": 1536, "begin": 12})
    assert JOB.model_copy(update={"passes": (*JOB.passes, larger)}).size == (1024, 1536)
