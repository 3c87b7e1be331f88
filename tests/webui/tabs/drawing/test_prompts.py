"""The counter beside the prompt counts no more text than a job takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings
from modules.prompts.dynamic.values import NO_WILDCARDS
from modules.prompts.token_count import TokenCount
from tests.jobs.made_models import make_model
from webui.tabs.drawing import prompts


def test_a_text_of_megabytes_is_cut_before_it_is_counted(
    catalogue: CheckpointCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def count(file: object, text: str, reading: object) -> TokenCount:
        counted.append(text)
        return TokenCount(7, 75)

    monkeypatch.setattr(prompts, "count_tokens", count)
    assert "7 / 75" in prompts.shown_count(catalogue, "heart " * 5_000_000, "emoji")
    assert [len(text) for text in counted] == [PROMPT_LONGEST]


@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_fault(catalogue: CheckpointCatalogue, value: object) -> None:
    assert " / 75" in prompts.shown_count(catalogue, value, "emoji")


def test_an_emoji_counts_as_the_words_that_the_model_reads(catalogue: CheckpointCatalogue) -> None:
    for typed, read in (("🦄", "unicorn"), ("a 👩🏻‍🎨, 3d", "a woman artist, light skin tone, 3d")):
        assert prompts.shown_count(catalogue, typed, "emoji") == prompts.shown_count(catalogue, read, "emoji")
    assert prompts.shown_count(catalogue, "❤️", "emoji") == prompts.shown_count(catalogue, "red heart", "emoji")


def test_a_list_of_tokens_that_is_damaged_counts_nothing(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "Stable-diffusion" / "model")
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    models = CheckpointCatalogue([tmp_path])
    assert models.find("model").problem is None
    assert prompts.shown_count(models, "a heart", "model") == ""


def test_what_is_counted_is_what_is_read(catalogue: CheckpointCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1 / 75" in prompts.shown_count(catalogue, "(heart:1.2) <lora:x:1> # mine", "emoji")
    assert "1 / 75" in prompts.shown_count(catalogue, "heart AND star", "emoji")
    assert "3 / 75" in prompts.shown_count(catalogue, "heart AND star", "emoji", negative=True)
    monkeypatch.setattr(
        prompts, "opts", SimpleNamespace(values=Settings(emphasis="None", enable_prompt_comments=False))
    )
    assert "6 / 75" in prompts.shown_count(catalogue, "(heart # mine)", "emoji")


def test_brackets_that_do_not_close_are_told_of() -> None:
    assert prompts.shown_hints("a (cat:1.2) and [a|dog]") == ""
    assert "This ( is not closed" in prompts.shown_hints("a (cat")
    assert prompts.shown_hints("<lora:<b>:x>").count("<b>") == 0
    assert prompts.shown_hints(None) == ""


def test_hints_say_where_they_belong_as_browsers_count() -> None:
    assert 'data-marks="8:3-4,5-6"' in prompts.shown_hints("🦄 (a[ b")
    assert 'data-marks="6:"' in prompts.shown_hints("__no__", wildcards=NO_WILDCARDS)


def test_wildcards_that_are_not_there_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no wildcard __gone__" in prompts.shown_hints("a {__gone__|b}", wildcards=NO_WILDCARDS)
    assert prompts.shown_hints("a {b|c} # __gone__", wildcards=NO_WILDCARDS) == ""
    monkeypatch.setattr(prompts, "opts", SimpleNamespace(values=Settings(dynamic_prompts=False)))
    assert prompts.shown_hints("a __gone__", wildcards=NO_WILDCARDS) == ""
