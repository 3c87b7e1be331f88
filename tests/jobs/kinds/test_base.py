"""A resolved job as a row holds it, and as the rows of the first versions held it."""

from modules.jobs.kinds.base import Pass, ResolvedJob, Saving, Source, Sources, Words
from modules.jobs.kinds.starts import Input, Mask, Start
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
    assert (JOB.image_count, JOB.seed_of(4), JOB.size_of(0)) == (6, 1004, (512, 768))
    larger = JOB.passes[0].model_copy(update={"width": 1024, "height": 1536, "begin": 12})
    assert JOB.model_copy(update={"passes": (*JOB.passes, larger)}).size_of(0) == (1024, 1536)


def test_rows_of_jobs_with_one_model_and_whole_passes_are_read() -> None:
    """They lack what came later: a VAE of its own, clip skip, passes that end early or have another model."""
    row = JOB.model_dump()
    del row["words"]["clip_skip"], row["sources"]["vae"], row["passes"][0]["end"], row["passes"][0]["checkpoint"]
    assert ResolvedJob.model_validate(row) == JOB
    assert (JOB.words.clip_skip, JOB.sources.vae) == (1, None)
    assert (JOB.step_count, JOB.checkpoint_of(0).name) == (20, "emoji")


def test_a_pass_that_ends_early_hands_on_to_the_next_one_and_its_model() -> None:
    other = Source(name="other", hash="b" * 64)
    first = JOB.passes[0].model_copy(update={"end": 16})
    second = JOB.passes[0].model_copy(update={"begin": 16, "checkpoint": other})
    job = JOB.model_copy(update={"passes": (first, second)})
    assert (first.step_count, second.step_count, job.step_count) == (16, 4, 20)
    assert [job.checkpoint_of(number).name for number in (0, 1)] == ["emoji", "other"]
    assert ResolvedJob.model_validate_json(job.model_dump_json()) == job


def test_where_a_part_of_a_picture_is_drawn_anew_the_whole_of_it_is_what_is_finished() -> None:
    one, other = Input(name="a.png", width=1000, height=700), Input(name="b.png", width=640, height=480)
    mask = Mask(picture=Input(name="m.png", width=10, height=10), padding=32)

    def job(start: Start) -> ResolvedJob:
        return JOB.model_copy(update={"passes": (JOB.passes[0].model_copy(update={"start": start}),)})

    partly = job(Start(pictures=(one, other), mask=mask))
    assert [partly.size_of(index) for index in range(3)] == [(1000, 700), (640, 480), (1000, 700)]
    whole = job(Start(pictures=(one, other), mask=mask.model_copy(update={"padding": None})))
    assert whole.size_of(0) == (512, 768)
    assert ResolvedJob.model_validate(partly.model_dump(mode="json")) == partly
