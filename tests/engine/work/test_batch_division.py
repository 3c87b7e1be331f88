"""Pictures are drawn together as many as are asked for, but none with the LoRAs of its neighbour."""

from modules.engine.work.batch_division import batches_of
from modules.jobs.kinds.base import PictureWords, ResolvedJob, Source
from tests.jobs.made_jobs import resolved_job


def job(*prompts: str, known: bool = True) -> ResolvedJob:
    made = resolved_job(batch_size=4, n_iter=2)
    each = tuple(PictureWords(prompt=prompt, negative_prompt="") for prompt in prompts)
    networks = {name: Source(name=f"{name}.safetensors", hash=name * 64) for name in "ab"} if known else {}
    return made.model_copy(
        update={
            "words": made.words.model_copy(update={"syntax": "a1111", "each": each}),
            "sources": made.sources.model_copy(update={"networks": networks}),
        }
    )


def test_batches_are_of_the_size_that_is_asked_for() -> None:
    assert batches_of(resolved_job(batch_size=4, n_iter=2), 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert batches_of(resolved_job(batch_size=4, n_iter=2), 3) == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert batches_of(job(*"abcdefgh"), 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_those_that_call_for_other_loras_are_drawn_apart() -> None:
    a, half, b = "cat <lora:a:1>", "dog <lora:a:0.5>", "<lora:b:1>"
    assert batches_of(job(a, a, half, b, b, "x", "y", a), 4) == [[0, 1], [2], [3], [4], [5, 6], [7]]
    assert batches_of(job(a, half, b, a, a, a, a, a, known=False), 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]
