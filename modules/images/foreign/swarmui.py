"""SwarmUI: JSON with `sui_image_params`, where A1111 has its infotext."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.images.foreign.reading import Reading, bare_name, listed, load_object, mapping, shown, whole
from modules.images.foreign.sampler_names import sampler_pairs

PROGRAM = "SwarmUI"
_PAIRS = {
    "steps": "Steps", "cfgscale": "CFG scale", "fluxguidancescale": "Distilled CFG Scale", "sigmashift": "Shift",
    "seed": "Seed", "variationseed": "Variation seed", "variationseedstrength": "Variation seed strength",
    "initimagecreativity": "Denoising strength",
}  # fmt: skip
# Of these nothing here follows, or they are told in another way.
_KNOWN = frozenset({
    *_PAIRS, "prompt", "negativeprompt", "width", "height", "model", "sampler", "scheduler", "comfyuisampler",
    "comfyuischeduler", "vae", "automaticvae", "loras", "loraweights", "lorasectionconfinement", "clipstopatlayer",
    "aspectratio", "swarm_version", "images", "batchsize", "nopreviews", "imageformat", "wildcardseed",
    "donotsave", "presets", "date", "generation_time", "prep_time", "original_prompt", "sidelength",
})  # fmt: skip


def read(items: Mapping[str, str]) -> Reading | None:
    """Read the JSON that stands in place of an infotext."""
    text = items.get("parameters", "")
    if "sui_image_params" not in text:
        return None
    whole_object = load_object(text)
    said = mapping(whole_object.get("sui_image_params"))
    if not said:
        return None
    reading = Reading(PROGRAM)
    reading.pairs |= {"Prompt": shown(said.get("prompt")), "Negative prompt": shown(said.get("negativeprompt"))}
    for name, key in _PAIRS.items():
        reading.put(key, said.get(name))
    sampler = said.get("sampler") or said.get("comfyuisampler")
    reading.pairs |= sampler_pairs(sampler, said.get("scheduler") or said.get("comfyuischeduler"))
    reading.put_size(said.get("width"), said.get("height"))
    reading.put("Model", bare_name(said.get("model")))
    if str(said.get("automaticvae")).casefold() != "true" and said.get("vae") not in (None, "", "Automatic", "None"):
        reading.put("VAE", bare_name(said.get("vae")))
    skip = whole(said.get("clipstopatlayer"))
    if skip is not None and skip < -1:
        reading.put("Clip skip", -skip)
    for name, weight in zip(_list(said.get("loras")), _weights(said), strict=False):
        reading.put_network(name, weight)
    _put_hashes(reading, listed(whole_object.get("sui_models")))
    reading.rows |= {key: shown(value) for key, value in mapping(whole_object.get("sui_extra_data")).items()}
    for name, value in said.items():
        if name not in _KNOWN:
            reading.leave(name, value)
    return reading


def _list(value: object) -> list[str]:
    """Lists stand as such, or with commas between their entries."""
    entries = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else []
    return [shown(one) for one in entries[:200]]


def _weights(said: Mapping[str, Any]) -> list[str]:
    """As many as there can be LoRAs: those that are not said are 1."""
    weights = _list(said.get("loraweights"))
    return weights + ["1"] * (200 - len(weights))


def _put_hashes(reading: Reading, models: list[Any]) -> None:
    """Hashes there are of the tensors alone, as A1111's of LoRAs are, and not as those of its models."""
    hashes = []
    for one in (mapping(model) for model in models[:200]):
        digest = shown(one.get("hash")).removeprefix("0x")
        if digest and shown(one.get("param")).startswith("lora"):
            hashes.append(f"{bare_name(one.get('name'))}: {digest[:12]}")
        elif digest:
            reading.rows[f"{shown(one.get('param'))} {shown(one.get('name'))}".strip()] = digest
    reading.put("Lora hashes", ", ".join(hashes))
