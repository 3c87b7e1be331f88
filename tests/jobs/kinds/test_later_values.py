"""A VAE of its own, clip skip and a refiner: in the file and its infotext where they are chosen, else nowhere."""

from modules.images.infotext import write
from modules.jobs.kinds.base import ResolvedJob, Source, Sources
from modules.jobs.kinds.stages import refined_stage
from modules.jobs.kinds.txt2img import TXT2IMG
from tests.jobs.made_jobs import HASH, resolved_job

REFINER = Source(name="fine.safetensors", hash="b" * 64)


def chosen(begin: int = 16, steps: int = 20, **saving: bool) -> ResolvedJob:
    job = resolved_job(steps=steps, **saving)
    first = job.passes[0].model_copy(update={"end": begin})
    second = job.passes[0].model_copy(update={"begin": begin, "checkpoint": REFINER})
    return job.model_copy(
        update={
            "words": job.words.model_copy(update={"clip_skip": 2}),
            "sources": Sources(checkpoint=job.sources.checkpoint, vae=Source(name="soft.safetensors", hash="c" * 64)),
            "passes": (first, second),
        }
    )


def test_what_is_chosen_decides_the_file() -> None:
    plain, with_all = TXT2IMG.picture(resolved_job(), 0), TXT2IMG.picture(chosen(), 0)
    assert {name: value for name, value in with_all.items() if name not in plain} == {
        "clip_skip": 2, "vae": "soft.safetensors", "vae_hash": "c" * 64, "refiner_checkpoint": "fine.safetensors",
        "refiner_hash": "b" * 64, "refiner_switch_at": 0.8,
    }  # fmt: skip
    assert with_all | plain == with_all
    assert TXT2IMG.told(chosen())["clip_skip"] == 2


def test_the_infotext_has_a1111s_keys_in_its_order() -> None:
    assert write(chosen(), 0).split("\n")[-1] == (
        "Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1000, Size: 512x768, "
        f"Model hash: {HASH[:10]}, Model: emoji, VAE hash: cccccccccc, VAE: soft.safetensors, Clip skip: 2, "
        "Refiner: fine.safetensors [bbbbbbbbbb], Refiner switch at: 0.8, Refiner switch by sampling steps: True, "
        "Version: steady-0.1.0"
    )
    without = write(chosen(add_model_name_to_info=False, add_model_hash_to_info=False), 0)
    assert "VAE" not in without


def test_a_picture_that_was_stopped_counts_the_steps_of_all_passes() -> None:
    assert "Partial: 17/20" in write(chosen(), 0, steps_done=17)


def test_the_switch_is_told_as_a_part_of_the_steps() -> None:
    for steps in (3, 7, 20, 150):
        for begin in range(steps):
            stage = refined_stage(chosen(begin, steps))
            assert stage is not None
            assert round(stage.switch_at * steps) == begin
