"""The families of models by name, and what is known of each before anything is loaded."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.models.family_facts import FamilyFacts, Guidance, ToldOfPicture, VariantFacts
from modules.jobs.models.family_table import FAMILY_FACTS, VARIANT_OF_PIPELINE

__all__ = [
    "FAMILY_FACTS", "FamilyFacts", "Guidance", "VariantFacts", "can_be_told_of_picture",
    "defaults_for", "facts_of", "facts_of_pipeline",
    "label_of", "predicts_flow", "told_of_picture", "variant_of_pipeline",
]  # fmt: skip

_BY_NAME: Mapping[str, FamilyFacts] = {facts.name: facts for facts in FAMILY_FACTS}
_BY_PIPELINE: Mapping[str, FamilyFacts] = {name: facts for facts in FAMILY_FACTS for name in facts.pipelines}
# The families of which every model reads pictures.
_READING = frozenset({"flux2", "flux2-klein"})
_OF_VARIANTS_ALONE = ("name", "label", "whole_label", "words", "within")
_OWN = tuple(field.name for field in fields(VariantFacts) if field.name not in _OF_VARIANTS_ALONE)


@functools.lru_cache(maxsize=512)
def facts_of(name: str, variant: str = "") -> FamilyFacts | None:
    """Return what is known of a family by its name, None of one that has no name here.

    With the figures of its variant, where that has its own.
    """
    facts = _BY_NAME.get(name)
    own = _variant_of(facts, variant)
    if facts is None or own is None:
        return facts
    values: dict[str, Any] = {key: value for key in _OWN if (value := getattr(own, key)) is not None}
    return replace(facts, **values)


def predicts_flow(family: str, prediction: str) -> bool:
    """Tell whether a model of this family, or one that is said to predict this, may be one of flows.

    Of a pipeline without a name here that is not known before it is loaded: most that are new are.
    """
    if prediction:
        return prediction == "flow"
    facts = _BY_NAME.get(family)
    return bool(family) if facts is None else facts.flow


def told_of_picture(family: str, variant: str, kind: str = "folder") -> ToldOfPicture | None:
    """Return whether a model is an instruct model, which begins with noise and is told of the picture it changes.

    "always": it cannot draw without one; "if given": it can. None: it begins with the picture. `kind` is that of the
    checkpoint: single files have not what Qwen-Image-Edit reads a picture with.
    """
    if kind == "file" and family == "qwen-image":
        return None
    facts = facts_of(family, variant)
    return None if facts is None else facts.told_of_picture


def can_be_told_of_picture(family: str, variant: str, kind: str = "folder") -> bool:
    """Tell whether a model may read a picture beside the words; those that need none begin with it as well."""
    return facts_of(family) is None or family in _READING or told_of_picture(family, variant, kind) is not None


def facts_of_pipeline(class_name: str) -> FamilyFacts | None:
    """Return what is known of the family whose folders name this class in `model_index.json`.

    A Stable Diffusion 2 has sd1's classes and a refiner sdxl's: these only the folder's configurations tell apart.
    """
    return _BY_PIPELINE.get(class_name)


def variant_of_pipeline(class_name: str) -> str:
    """Return the variant that a class in `model_index.json` stands for, "" where it says nothing of one."""
    return VARIANT_OF_PIPELINE.get(class_name, "")


def defaults_for(family: str, variant: str = "") -> ModelDefaults:
    """Return what a model of this family draws with by its card, where neither the request nor its folder says."""
    facts = facts_of(family, variant)
    if facts is None:
        return ModelDefaults()
    return ModelDefaults(
        steps=facts.steps, cfg_scale=facts.cfg_scale, sampler_name=facts.sampler_name, scheduler=facts.schedule
    )


def label_of(family: str, variant: str = "") -> str:
    """Return what people call a model of this family: "Flux.1 schnell"; one without a name here by its class."""
    facts = _BY_NAME.get(family)
    own = _variant_of(facts, variant)
    if own is not None and own.whole_label:
        return own.label
    words = [facts.label if facts is not None else family, own.label if own is not None else variant]
    return " ".join(word for word in words if word)


def _variant_of(facts: FamilyFacts | None, variant: str) -> VariantFacts | None:
    return next((one for one in (facts.variants if facts else ()) if one.name == variant), None)
