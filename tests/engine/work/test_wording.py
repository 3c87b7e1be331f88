"""What a pass is told in the course of its steps, by the text of a job."""

from typing import Any

from modules.engine.work.wording import Wording, wording_of
from modules.jobs.kinds.base import Enlarging, Pass, PictureWords, ResolvedJob, Words
from tests.jobs.made_jobs import HASH, resolved_job


def job(prompt: str = "", negative: str = "", passes: tuple[dict[str, Any], ...] = ({},), **words: Any) -> ResolvedJob:
    """Return a job of passes of ten steps, each with what is its own."""
    made = resolved_job(steps=10, sampler_name="Euler")
    told = Words(**{"prompt": prompt, "negative_prompt": negative, "syntax": "a1111"} | words)
    whole = [Pass.model_validate(made.passes[0].model_dump() | changes) for changes in passes]
    return made.model_copy(update={"words": told, "passes": tuple(whole)})


def told(wording: Wording, place: int = 0, picture: int = 0) -> list[tuple[int, str]]:
    """Return what one prompt of a picture says, and until which call; -1: the negative one."""
    return [
        (until, (scene.negatives if place < 0 else scene.prompts[place])[picture].said)
        for until, scene in wording.scenes
    ]


def test_scenes_end_where_a_text_ends_and_calls_are_counted_from_0() -> None:
    wording = wording_of(job("[cat:dog:3]", "[blue::0.5]"), 0, [0])
    assert told(wording) == [(3, "cat"), (5, "dog"), (10, "dog")]
    assert told(wording, -1) == [(3, "blue"), (5, "blue"), (10, "")]
    assert [wording.at(call).prompts[0][0].said for call in range(6)] == ["cat"] * 4 + ["dog"] * 2
    assert wording.at(30) == wording.at(9)
    assert not wording.is_plain and not wording.adds_up
    assert wording.first.prompts[0][0].together == ("cat", "dog")


def test_words_of_older_rows_and_words_without_a_schedule_are_plain() -> None:
    assert wording_of(job("[cat:dog:3] AND x", syntax="plain"), 0, [0]).is_plain
    plain = wording_of(job("a (cat:2) <lora:x:1>"), 0, [0, 1])
    assert plain.is_plain and told(plain) == [(10, "a (cat:2)")]
    assert not wording_of(job("cat :0.5"), 0, [0]).is_plain
    assert not wording_of(job("cat AND dog"), 0, [0]).is_plain


def test_samplers_that_call_twice_have_twice_the_steps() -> None:
    assert told(wording_of(job("[cat:dog:0.5]", passes=({"sampler_name": "Heun"},)), 0, [0])) == [
        (10, "cat"),
        (20, "dog"),
    ]


def test_prompts_that_are_added_up_have_schedules_of_their_own_and_the_negative_one_is_not_split() -> None:
    wording = wording_of(job("[a:b:2] :1.5 AND c AND [d|e] :-1", "x AND y"), 0, [0])
    assert wording.weights == ((1.5,), (1.0,), (-1.0,))
    assert told(wording)[:4] == [(1, "a"), (2, "a"), (3, "b"), (4, "b")]
    assert told(wording, 2)[:3] == [(1, " d"), (2, " e"), (3, " d")]
    assert told(wording, -1)[0] == (1, "x AND y")


def test_a_second_pass_counts_on_from_the_first_and_may_have_words_of_its_own() -> None:
    enlarging = Enlarging(upscaler="Latent")
    second = {"steps": 20, "begin": 16, "enlarging": enlarging}
    one = job("[a:b:0.5] [c:d:1.5] [e:f:12]", passes=({}, second))
    assert told(wording_of(one, 0, [0])) == [(5, "a c e"), (10, "b c e")]
    assert told(wording_of(one, 1, [0])) == [(2, "b c e"), (4, "b d f")]
    assert wording_of(one, 1, [0]).begin == 16
    old = job("[a:b:0.5]", passes=({}, second), old_editing=True)
    assert told(wording_of(old, 1, [0])) == [(4, "a")]
    own = Words(prompt="[x:y:1.5]", negative_prompt="", syntax="a1111")
    assert told(wording_of(job("a", passes=({}, second | {"words": own})), 1, [0])) == [(2, "x"), (4, "y")]


def test_what_a_refiner_goes_on_with_is_counted_from_where_the_stage_began() -> None:
    refiner = {"begin": 8, "checkpoint": {"name": "refiner", "hash": HASH}}
    enlarging = {"enlarging": Enlarging(upscaler="Latent")}
    passes = (
        {"end": 8},
        refiner,
        {"steps": 20, "begin": 10, "end": 16} | enlarging,
        refiner | {"steps": 20, "begin": 16},
    )
    of = [wording_of(job("[a:b:0.5] [c:d:1.5]", passes=passes), number, [0]) for number in range(4)]
    assert told(of[0]) == told(of[1]) == [(5, "a c"), (10, "b c")]
    assert told(of[2]) == told(of[3]) == [(5, "b c"), (10, "b d")]
    assert [wording.begin for wording in of] == [0, 0, 10, 10]


def test_a_start_from_a_picture_counts_the_steps_that_were_asked_for() -> None:
    assert told(wording_of(job("[a:b:0.5]", passes=({"begin": 4},)), 0, [0])) == [(5, "a"), (10, "b")]
    exact = {"steps": 20, "begin": 10, "steps_asked": 10}
    assert told(wording_of(job("[a:b:0.5]", passes=(exact,)), 0, [0])) == [(5, "a"), (10, "b")]


def test_pictures_have_their_own_words_and_one_with_fewer_prompts_has_none_of_the_others() -> None:
    each = tuple(PictureWords(prompt=text, negative_prompt="x") for text in ("a AND b :2", "[c:d:4]", "a AND b :2"))
    several = job(each=each)
    wording = wording_of(several, 0, [0, 1])
    assert told(wording, 0, 0) == [(4, "a"), (10, "a")] and told(wording, 0, 1) == [(4, "c"), (10, "d")]
    assert wording.weights == ((1.0, 1.0), (2.0, 0.0))
    assert told(wording, 1, 1) == [(4, "c"), (10, "d")]
    assert len(wording_of(several, 0, [0, 2]).first.negatives) == 1
