"""The table of families: what people read on a model's card is what a request that leaves it open draws with."""

import pytest

from modules.jobs.models.families import (
    FAMILY_FACTS,
    defaults_for,
    facts_of,
    facts_of_pipeline,
    label_of,
    variant_of_pipeline,
)
from modules.jobs.models.family_table import VARIANT_OF_PIPELINE

# Steps and guidance as the cards have them: reference figures, written down a second time.
CARDS = {
    ("sd1", ""): (20, 7.0, 512),
    ("sd2", ""): (20, 7.5, 512),
    ("sdxl", ""): (28, 6.0, 1024),
    ("sdxl", "turbo"): (4, 1.0, 512),
    ("sdxl", "lightning"): (4, 1.0, 1024),
    ("sd3", "medium"): (28, 7.0, 1024),
    ("sd3", "3.5-large"): (28, 3.5, 1024),
    ("sd3", "3.5-large-turbo"): (4, 1.0, 1024),
    ("sd3", "3.5-medium"): (40, 4.5, 1024),
    ("flux", "dev"): (28, 1.0, 1024),
    ("flux", "schnell"): (4, 1.0, 1024),
    ("flux2-klein", "4b"): (4, 1.0, 1024),
    ("flux2-klein", "9b-base"): (50, 4.0, 1024),
    ("chroma", ""): (35, 5.0, 1024),
    ("z-image", "turbo"): (9, 1.0, 1024),
    ("z-image", "base"): (50, 5.0, 1024),  # 4 where 0 is none, as its pipeline counts
    ("qwen-image", ""): (50, 4.0, 1328),
    ("lumina2", ""): (30, 4.0, 1024),
    ("sana", ""): (20, 4.5, 1024),
    ("pixart-sigma", ""): (20, 4.5, 1024),
}


@pytest.mark.parametrize(("family", "variant"), CARDS)
def test_a_model_draws_as_its_card_says(family: str, variant: str) -> None:
    steps, cfg_scale, side = CARDS[family, variant]
    defaults = defaults_for(family, variant)
    assert (defaults.steps, defaults.cfg_scale) == (steps, cfg_scale)
    facts = facts_of(family, variant)
    assert facts is not None
    assert facts.native_side == side


@pytest.mark.parametrize("name", [facts.name for facts in FAMILY_FACTS])
def test_every_variant_can_be_drawn_with_as_it_says(name: str) -> None:
    facts = facts_of(name)
    assert facts is not None
    assert facts.native_side % facts.multiple == 0
    for variant in facts.variants:
        own = facts_of(name, variant.name)
        assert own is not None
        assert (own.name, own.text_encoders.keys()) == (name, facts.text_encoders.keys())
        defaults_for(name, variant.name)  # A sampler and a schedule that do not go together would be refused.


def test_guidance_of_a_distilled_model_is_a_figure_of_its_own() -> None:
    dev, schnell, krea = (facts_of("flux", variant) for variant in ("dev", "schnell", "krea"))
    assert dev is not None
    assert schnell is not None
    assert krea is not None
    assert (dev.guidance, dev.distilled_cfg_scale, krea.distilled_cfg_scale) == ("distilled", 3.5, 4.5)
    assert schnell.guidance == "cfg"


def test_a_larger_klein_has_a_larger_encoder() -> None:
    small, large = facts_of("flux2-klein", "4b"), facts_of("flux2-klein", "9b")
    assert small is not None
    assert large is not None
    assert (small.text_encoders["text_encoder"], large.text_encoders["text_encoder"]) == ("qwen3_4b", "qwen3_8b")


def test_every_class_is_of_one_family() -> None:
    classes = [name for facts in FAMILY_FACTS for name in facts.pipelines]
    assert len(classes) == len(set(classes))
    for name, variant in VARIANT_OF_PIPELINE.items():
        facts = facts_of_pipeline(name)
        assert facts is not None, name
        assert variant in [one.name for one in facts.variants]


def test_classes_tell_family_and_variant() -> None:
    fill = facts_of_pipeline("FluxFillPipeline")
    assert fill is not None
    assert (fill.name, variant_of_pipeline("FluxFillPipeline")) == ("flux", "fill")
    assert variant_of_pipeline("FluxPipeline") == ""
    assert facts_of_pipeline("AuraFlowPipeline") is None


def test_people_read_names() -> None:
    assert label_of("flux", "schnell") == "Flux.1 schnell"
    assert label_of("sdxl") == "Stable Diffusion XL"
    assert label_of("sdxl", "playground") == "Playground 2.5"
    assert label_of("sd3") == "Stable Diffusion 3"
    assert label_of("sd3", "medium") == "Stable Diffusion 3 Medium"
    assert label_of("sd3", "3.5-large") == "Stable Diffusion 3.5 Large"
    assert label_of("sd3", "3.5-medium-turbo") == "Stable Diffusion 3.5 Medium Turbo"
    assert label_of("AuraFlowPipeline") == "AuraFlowPipeline"


def test_what_is_not_known_has_plain_defaults() -> None:
    assert (defaults_for("AuraFlowPipeline").steps, facts_of("AuraFlowPipeline")) == (20, None)
    assert defaults_for("sdxl", "of tomorrow") == defaults_for("sdxl")


def test_no_label_says_a_word_twice() -> None:
    for facts in FAMILY_FACTS:
        for variant in facts.variants:
            words = label_of(facts.name, variant.name).split()
            assert len(words) == len(set(words)), words
