"""The parts of a job with two models: the second is loaded once, and each batch may have to switch."""

from modules.engine.progress.parts import Part, Planned, parts_of
from modules.jobs.kinds.base import Enlarging, Pass, Source
from modules.jobs.kinds.starts import Input, Start
from tests.jobs.made_jobs import resolved_job

WHOLE = resolved_job(steps=10, sampler_name="Heun").passes[0]
PASSES = (
    WHOLE.model_copy(update={"end": 8}),
    WHOLE.model_copy(update={"begin": 8, "checkpoint": Source(name="fine", hash="b" * 64)}),
)
TWO_PICTURES = [([0], [0]), ([1], [1])]


def loads(passes: tuple[Pass, ...], another: bool) -> list[Part]:
    return [part for part in parts_of(Planned(passes, TWO_PICTURES, True, another)) if part.phase == "load"]


def test_each_switch_has_its_part_and_the_first_one_its_time() -> None:
    assert [(part.image, part.turn, part.cost.first) for part in loads(PASSES, another=True)] == [
        (0, 0, "load"), (0, 1, "load"), (1, 0, None), (1, 1, None),
    ]  # fmt: skip
    assert [part.cost.first for part in loads(PASSES, another=False)] == ["load", None, None, None]
    assert len(loads((WHOLE,), another=False)) == 1


def test_pictures_that_are_done_need_no_model() -> None:
    parts = parts_of(Planned(PASSES, [([0], []), ([1], [1])], True))
    assert [(part.image, part.turn) for part in parts if part.phase == "load"] == [(0, 0), (1, 1)]


def test_the_steps_of_both_passes_are_those_of_the_whole() -> None:
    def calls(passes: tuple[Pass, ...]) -> list[int]:
        parts = parts_of(Planned(passes, [([0], [0])], True))
        return [part.cost.steps + 1 for part in parts if part.phase == "sample"]

    assert [sum(calls(PASSES))] == calls((WHOLE,)) == [19]  # Heun asks twice a step, but for the last one.


def enlarged(upscaler: str, **changes: object) -> Pass:
    """Return a second pass, twice as large."""
    changes = {"width": 1024, "height": 1536, "begin": 4, "enlarging": Enlarging(upscaler=upscaler), **changes}
    return WHOLE.model_copy(update=changes)


def test_a_second_pass_enlarges_pictures_and_encodes_them_but_latents_are_enlarged_in_no_time() -> None:
    def phases(*passes: Pass) -> list[tuple[str, int, int, str]]:
        parts = parts_of(Planned(passes, [([0], [0])], False))
        return [(part.phase, part.turn, part.stage, part.label) for part in parts[2:-2]]

    first, second = ("sample", 0, 0, "image 1"), "image 1, second pass"
    assert phases(WHOLE, enlarged("R-ESRGAN 4x+")) == [
        first, ("upscale", 1, 1, second), ("prepare", 1, 1, second), ("sample", 1, 1, second),
    ]  # fmt: skip
    assert phases(WHOLE, enlarged("Latent")) == [first, ("sample", 1, 1, second)]
    other = Source(name="fine", hash="b" * 64)
    assert [one[0] for one in phases(WHOLE, enlarged("Lanczos", checkpoint=other))] == [
        "sample", "upscale", "load", "prepare", "sample",
    ]  # fmt: skip


def test_a_finished_picture_that_is_enlarged_is_read_first_and_takes_one_pass() -> None:
    start = Start(pictures=(Input(name="a.png", width=512, height=768),))
    parts = parts_of(Planned((enlarged("Latent", start=start),), [([0], [0])], True))
    assert [part.phase for part in parts] == ["load", "encode", "prepare", "sample", "decode", "save"]
    assert {part.stage for part in parts} == {0}
    assert parts[3].cost.first == "first_after_load"
