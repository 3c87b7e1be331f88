"""How words are read is kept with a job; file and infotext tell of it where it makes a difference, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from modules.images.infotext import parse_pairs, write
from modules.jobs.kinds.base import ResolvedJob, Words
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.options import Settings
from tests.jobs.kinds.test_txt2img import resolved

KEYS = ("syntax", "emphasis", "use_old_scheduling", "comma_padding_backtrack")
PAIRS = ("Emphasis", "Old prompt editing timelines")


def told(job: ResolvedJob) -> dict[str, Any]:
    return {key: value for key, value in TXT2IMG.picture(job, 0).items() if key in KEYS}


def pairs(job: ResolvedJob) -> dict[str, str]:
    return {key: value for key, value in parse_pairs(write(job, 0)).items() if key in PAIRS}


def test_the_settings_as_they_are_are_kept_with_the_job() -> None:
    assert resolved({"prompt": "a"}).words == Words(prompt="a", negative_prompt="", syntax="a1111")
    settings = Settings(emphasis="No norm", comma_padding_backtrack=5)
    words = resolved({"prompt": "a", "override_settings": {"use_old_scheduling": True}}, settings=settings).words
    assert words == Words(
        prompt="a", negative_prompt="", syntax="a1111", emphasis="No norm", old_editing=True, comma_backtrack=5
    )


def test_comments_leave_the_prompt_as_it_is_kept() -> None:
    sent = {"prompt": "# a\na cat # b\n# c\nd", "negative_prompt": "e # f"}
    words = resolved(sent).words
    assert (words.prompt, words.negative_prompt) == ("a cat \nd", "e")
    kept = resolved(sent | {"override_settings": {"enable_prompt_comments": False}}).words
    assert (kept.prompt, kept.negative_prompt) == (sent["prompt"], sent["negative_prompt"])


@pytest.mark.parametrize(
    ("prompt", "negative", "has"),
    [
        ("a cat, and a dog: 3 of 4", "AND b:2", False),
        ("(a)", "", True),
        ("a", "[b]", True),
        ("[a:b:3]", "", True),
        ("a AND b", "", True),
        ("ratio 16:9", "", True),
        ("a BREAK b", "", True),
        ("<lora:x:1>", "", True),
        ("a\\b", "", True),
    ],
)
def test_a_file_says_that_its_text_is_more_than_text(prompt: str, negative: str, has: bool) -> None:
    job = resolved({"prompt": prompt, "negative_prompt": negative})
    assert told(job) == ({"syntax": "a1111"} if has else {})
    plain = job.model_copy(update={"words": Words(prompt=prompt, negative_prompt=negative)})
    assert told(plain) == {}


def test_what_was_chosen_is_told_where_it_counts() -> None:
    settings = Settings(emphasis="No norm", use_old_scheduling=True, comma_padding_backtrack=0)
    assert told(resolved({"prompt": "a"}, settings=settings)) == {"comma_padding_backtrack": 0}
    job = resolved({"prompt": "[a:(b):1.5]", "steps": 20}, settings=settings)
    assert told(job) == {
        "syntax": "a1111", "emphasis": "No norm", "use_old_scheduling": True, "comma_padding_backtrack": 0
    }  # fmt: skip
    assert pairs(job) == {"Emphasis": "No norm", "Old prompt editing timelines": "True"}


@pytest.mark.parametrize(
    ("prompt", "steps", "sampler", "said"),
    [
        ("a", 20, "Euler", {}),
        ("[a:b:4]", 20, "Euler", {}),  # the same in both
        ("[a:b:0.5]", 20, "Euler", {}),
        ("[a:b:1.5]", 20, "Euler", {"Old prompt editing timelines": "True"}),
        ("c AND [a:b:1.0]", 20, "Euler", {"Old prompt editing timelines": "True"}),
        ("(a)", 20, "Euler", {"Emphasis": "Ignore"}),
        ("\\(a", 20, "Euler", {"Emphasis": "Ignore"}),
        ("<lora:(x):1> [a|b]", 20, "Euler", {}),
    ],
)
def test_infotext_says_what_a1111_says(prompt: str, steps: int, sampler: str, said: dict[str, str]) -> None:
    settings = Settings(emphasis="Ignore", use_old_scheduling=True)
    assert pairs(resolved({"prompt": prompt, "steps": steps, "sampler_name": sampler}, settings=settings)) == said
    assert pairs(resolved({"prompt": prompt, "steps": steps, "sampler_name": sampler})) == {}
