"""What the page says of a model's guidance, and which fields it has for it."""

import json
from pathlib import Path

import pytest

from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import defaults_for
from modules.options import Settings
from webui.checkpoint_facts import facts
from webui.guidance_words import distilled_of, key_of, words_of


def model(family: str, variant: str = "", prediction: str = "") -> Checkpoint:
    name = f"{family}-{variant}"
    defaults = defaults_for(family, variant)
    return Checkpoint(name, Path(name), "folder", 1024, 1024, None, defaults, None, None, family=family,
                      variant=variant, prediction=prediction)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "distilled", "shift", "own_shift", "negative", "strays"),
    [
        (model("sd1"), False, False, None, True, False),
        (model("sd3", "3.5-large"), False, True, 3.0, True, True),
        (model("sd3", "3.5-large-turbo"), False, True, 3.0, True, False),
        (model("flux", "dev"), True, True, None, True, True),
        (model("flux", "schnell"), False, True, 1.0, True, False),
        (model("flux2"), True, True, None, False, True),
        (model("sana", "sprint"), True, False, 3.0, False, False),
        (model("NewPipeline"), False, True, None, True, True),
        (model("NewPipeline", prediction="epsilon"), False, False, None, True, False),
    ],
)
def test_fields_are_shown_for_models_that_know_them(
    one: Checkpoint, distilled: bool, shift: bool, own_shift: float | None, negative: bool, strays: bool
) -> None:
    words = words_of(one)
    assert (bool(words["distilled"]), bool(words["shift"])) == (distilled, shift)
    assert (words["own_shift"], words["negative"], words["strays"]) == (own_shift, negative, strays)


def test_each_kind_of_guidance_has_its_own_words() -> None:
    kinds = [model("sdxl"), model("flux", "dev"), model("qwen-image"), model("z-image", "base"), model("flux2")]
    assert len({words_of(one)["cfg"] for one in kinds}) == len(kinds)
    assert "1 is off" in str(words_of(kinds[0])["cfg"])


def test_the_page_is_told_once_of_models_that_have_the_same_to_say() -> None:
    many = [model("flux", "dev"), model("flux", "krea"), model("flux", "dev"), model("sd1")]
    told = json.loads(facts(many, Settings()))
    assert set(told["guidance"]) == {key_of(one) for one in many}
    for one in many:
        suits = told["suits"][told["checkpoints"][one.name]["suits"]]
        assert told["guidance"][suits["guidance"]] == words_of(one)
    assert [distilled_of(one) for one in many] == [3.5, 4.5, 3.5, 3.5]
    assert told["strays"]["of"]["Euler"] == {"Exponential": 12}
