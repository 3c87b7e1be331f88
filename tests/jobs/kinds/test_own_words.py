"""The words of each picture of a job: chosen by its seed, told in its infotext, and the same alone as in a batch."""

from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.images.infotext import parse_pairs, write
from modules.jobs.kinds.base import PictureWords, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.upscalers import Upscaler
from modules.options import Settings
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.style import Style
from tests.jobs.kinds.test_txt2img import checkpoint
from tests.jobs.made_models import make_model
from tests.prompts.dynamic.test_expansion import WILDCARDS

STYLES = (Style("s", "{prompt} in {oil|ink}", "__colour__"),)


def resolved(data: dict[str, Any], settings: Settings | None = None) -> ResolvedJob:
    models = Models(checkpoint(), upscaler=Upscaler("Latent"), styles=STYLES if data.get("styles") else ())
    request = validate_drawing("txt2img", data)
    return request.resolve(models, settings or Settings(), lambda: 42, "float32", 2, wildcards=WILDCARDS)


def test_picture_i_of_a_batch_has_the_words_that_its_seed_gives_alone() -> None:
    batch = resolved({"prompt": "a {b|c} __animal__", "seed": 5, "batch_size": 4, "n_iter": 3})
    alone = [resolved({"prompt": "a {b|c} __animal__", "seed": 5 + index}).words for index in range(12)]
    assert [batch.words.of(index) for index in range(12)] == [words.of(0) for words in alone]
    assert len(set(batch.words.each)) > 2
    assert batch.words.prompt == batch.words.each[0].prompt == alone[0].prompt
    assert alone[0].each == ()
    assert batch.words.templates == PictureWords(prompt="a {b|c} __animal__", negative_prompt="")


@pytest.mark.parametrize("prompt", ["a cat", "{prompt} {{best}} (a:1.2) [b|c]", "a __gone__ cat", ""])
def test_prompts_that_choose_nothing_leave_a_job_as_it_was(prompt: str) -> None:
    words = resolved({"prompt": prompt, "batch_size": 2}).words
    assert (words.prompt, words.each, words.templates) == (prompt, (), None)
    assert "template" not in TXT2IMG.picture(resolved({"prompt": prompt}), 0)


def test_a_job_of_thousands_can_be_stopped_while_their_words_are_chosen() -> None:
    seen: list[int] = []

    def stop_at_the_third() -> None:
        seen.append(1)
        if len(seen) == 3:
            raise InterruptedError

    request = validate_drawing("txt2img", {"prompt": "{a|b}", "n_iter": 1000, "batch_size": 16})
    with pytest.raises(InterruptedError):
        request.resolve(Models(checkpoint()), Settings(), lambda: 42, "float32", 2, get_on=stop_at_the_third)
    assert len(seen) == 3


def test_both_prompts_choose_apart_and_styles_choose_too() -> None:
    pairs = [resolved({"prompt": "{a|b}", "negative_prompt": "{a|b}", "seed": seed}).words for seed in range(40)]
    assert {(words.prompt, words.negative_prompt) for words in pairs} == {
        ("a", "a"),
        ("a", "b"),
        ("b", "a"),
        ("b", "b"),
    }
    styled = [resolved({"prompt": "a cat", "styles": ["s"], "seed": seed}).words for seed in range(40)]
    assert {words.prompt for words in styled} == {"a cat in oil", "a cat in ink"}
    assert {words.negative_prompt for words in styled} == {"red", "blue", "green"}


def test_infotext_and_file_tell_the_words_of_their_picture_and_what_they_were_made_of() -> None:
    job = resolved({"prompt": "{a|b}, x: y", "negative_prompt": "plain", "seed": 1, "batch_size": 6})
    assert len(set(job.words.each)) == 2
    for index in range(6):
        pairs = parse_pairs(write(job, index))
        assert pairs["Prompt"] == TXT2IMG.picture(job, index)["prompt"] == job.words.each[index].prompt
        assert pairs["Template"] == TXT2IMG.picture(job, index)["template"] == "{a|b}, x: y"
        assert "Negative Template" not in pairs and "negative_template" not in TXT2IMG.picture(job, index)
    assert TXT2IMG.told(job)["prompt"] == job.words.each[0].prompt


def test_the_second_pass_of_hires_fix_chooses_as_the_first() -> None:
    data = {"prompt": "{a|b}", "enable_hr": True, "hr_scale": 2, "seed": 3, "batch_size": 4}
    assert resolved(data).passes[1].words is None
    other = resolved(data | {"hr_prompt": "{a|b} sharp", "hr_negative_prompt": "{c|d}"})
    second = other.passes[1].words
    assert second is not None
    assert [f"{one.prompt} sharp" for one in other.words.each] == [one.prompt for one in second.each]
    for index in range(4):
        assert parse_pairs(write(other, index))["Hires prompt"] == second.each[index].prompt
        assert TXT2IMG.picture(other, index)["hr_negative_prompt"] == second.each[index].negative_prompt
    same = resolved(data | {"hr_prompt": "{a|b}", "hr_negative_prompt": "other"})
    assert all("Hires prompt" not in parse_pairs(write(same, index)) for index in range(4))


def test_a_setting_leaves_prompts_as_they_are() -> None:
    off = {"override_settings": {"dynamic_prompts": False}}
    assert resolved({"prompt": "{a|b} __colour__"} | off).words.prompt == "{a|b} __colour__"
    assert resolved({"prompt": "{a|b}", "combinatorial": True}, Settings(dynamic_prompts=False)).image_count == 1


def test_all_combinations_are_drawn_each_as_often_as_pictures_are_asked_for() -> None:
    job = resolved({"prompt": "{a|b} __colour__ {~x|y}", "combinatorial": True, "seed": 1, "batch_size": 2})
    assert (job.batch_size, job.n_iter, job.image_count) == (2, 6, 12)
    of_pairs = [f"{a} {b}" for a in "ab" for b in ("red", "blue", "green") for _ in range(2)]
    assert [one.prompt[:-2] for one in job.words.each] == of_pairs
    assert {one.prompt[-1] for one in job.words.each} == {"x", "y"}
    hires = resolved({"prompt": "{a|b}", "hr_negative_prompt": "c", "enable_hr": True, "combinatorial": True})
    assert hires.passes[1].words is not None
    assert [one.prompt for one in hires.passes[1].words.each] == ["a", "b"]
    assert resolved({"prompt": "a cat", "combinatorial": True, "n_iter": 3}).image_count == 3


def test_too_many_combinations_are_refused_when_they_are_asked_for(tmp_path: Path) -> None:
    make_model(tmp_path / "Stable-diffusion" / "base")
    catalogue, settings = CheckpointCatalogue([tmp_path], library=PromptLibrary()), Settings(sd_model_checkpoint="base")
    request = validate_drawing("txt2img", {"prompt": "{a|b}" * 9, "n_iter": 2, "combinatorial": True})
    with pytest.raises(InvalidRequest, match="The prompt has more than 500 combinations") as refused:
        request.find_models(catalogue, settings)
    assert refused.value.field == "combinatorial"
