"""Civitai: what its own generator writes; and the models that it names in infotexts, by its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.images.foreign.reading import NotTaken, Reading, listed, load_object, mapping, number, shown
from modules.images.foreign.sampler_names import sampler_pairs

PROGRAM = "Civitai"
_WHY = "is named by its number at Civitai, which no file here says"
_PAIRS = {"steps": "Steps", "cfgScale": "CFG scale", "seed": "Seed", "clipSkip": "Clip skip",
          "denoise": "Denoising strength"}  # fmt: skip


def read(items: Mapping[str, str]) -> Reading | None:
    """Read the graph that its generator writes, in which `extraMetadata` holds the settings as JSON."""
    said = load_object(items.get("parameters")) or load_object(items.get("prompt"))
    extra = said.get("extraMetadata")
    settings = load_object(extra) if isinstance(extra, str) else mapping(extra)
    if not settings:
        return None
    reading = Reading(PROGRAM)
    reading.pairs |= {"Prompt": shown(settings.get("prompt")), "Negative prompt": shown(settings.get("negativePrompt"))}
    reading.pairs |= sampler_pairs(settings.get("sampler"))
    for name, key in _PAIRS.items():
        reading.put(key, settings.get(name))
    reading.put_size(settings.get("width"), settings.get("height"))
    reading.left += left_of(listed(settings.get("resources")))
    reading.rows["Workflow"] = shown(settings.get("workflowId"))
    return reading


def left_of(resources: list[Any]) -> list[NotTaken]:
    """Return in words which models were drawn with, as Civitai numbers them."""
    return [_told(mapping(one)) for one in resources[:50]]


def _told(one: Mapping[str, Any]) -> NotTaken:
    names = [shown(one.get("modelName")), shown(one.get("modelVersionName"))]
    version = shown(one.get("modelVersionId"))
    name = " ".join(part for part in names if part) or f"version {version}"
    weight = number(one.get("weight", one.get("strength")), 1.0)
    kind = {"checkpoint": "Checkpoint", "lora": "LoRA"}.get(shown(one.get("type")), shown(one.get("type")) or "Model")
    shown_weight = f" × {weight:g}" if weight != 1 else ""
    return NotTaken(kind, f"{name}{shown_weight} (Civitai {version})" if version and names[0] else name, _WHY)
