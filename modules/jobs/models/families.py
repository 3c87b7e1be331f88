"""The families of models by name, and what is known of each before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# How a family is guided by the words.
# "cfg": by the difference to the negative prompt, where 1 is none. "distilled": the scale is an input of the denoiser,
# and a negative prompt has a part in it only with a cfg_scale above 1. "none": not at all.
Guidance = Literal["cfg", "distilled", "none"]


@dataclass(frozen=True)
class FamilyFacts:
    """A family. `pipelines` are the classes that `model_index.json` may name in a folder of its models.

    `flow`: its models predict a flow, not noise. Steps and cfg_scale are those of its card; `native_side` is in pixels.
    """

    name: str
    label: str
    pipelines: tuple[str, ...]
    flow: bool = True
    guidance: Guidance = "cfg"
    native_side: int = 1024
    steps: int = 28
    cfg_scale: float = 4.0


FAMILY_FACTS: tuple[FamilyFacts, ...] = (
    FamilyFacts(
        "sd1",
        "Stable Diffusion 1.x",
        ("StableDiffusionPipeline",),
        flow=False,
        native_side=512,
        steps=20,
        cfg_scale=7.0,
    ),
)
_BY_NAME: Mapping[str, FamilyFacts] = {facts.name: facts for facts in FAMILY_FACTS}
_BY_PIPELINE: Mapping[str, FamilyFacts] = {name: facts for facts in FAMILY_FACTS for name in facts.pipelines}


def facts_of(name: str) -> FamilyFacts | None:
    """Return what is known of a family by its name, None of one that has no name here."""
    return _BY_NAME.get(name)


def facts_of_pipeline(class_name: str) -> FamilyFacts | None:
    """Return what is known of the family whose folders name this class in `model_index.json`."""
    return _BY_PIPELINE.get(class_name)
