"""InvokeAI: JSON under `invokeai_metadata`; before version 3 under `sd-metadata`, or a command line under `Dream`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from modules.images.foreign.compel import a1111_weights, split_negative
from modules.images.foreign.reading import Reading, bare_name, listed, load_object, mapping, shown, whole
from modules.images.foreign.sampler_names import diffusers_sampler_pairs, sampler_pairs

PROGRAM = "InvokeAI"
_LONGEST_COMMAND = 20_000
_OPTIONS = {"-s": "Steps", "-S": "Seed", "-C": "CFG scale", "-f": "Denoising strength"}
_OPTION = re.compile(r"(-[sSCfWHA])\s*([\w.+-]+)")
_FEATURES = {
    "controlnets": "ControlNet", "control_layers": "Control layers", "ipAdapters": "IP adapter",
    "t2iAdapters": "T2I adapter", "regions": "Regions", "ref_images": "Reference pictures",
}  # fmt: skip


def read(items: Mapping[str, str]) -> Reading | None:
    """Read whichever of its forms is there, the newest first."""
    said = load_object(items.get("invokeai_metadata"))
    if said:
        return _of_metadata(said)
    older = load_object(items.get("sd-metadata"))
    if older:
        return _of_older(older)
    return _of_command(items["Dream"]) if items.get("Dream") else None


def _of_metadata(said: Mapping[str, Any]) -> Reading:
    reading = Reading(PROGRAM)
    prompt, negative = shown(said.get("positive_prompt")), shown(said.get("negative_prompt"))
    _put_prompts(reading, prompt, negative)
    reading.put("Steps", said.get("steps"))
    reading.pairs |= diffusers_sampler_pairs(said.get("scheduler"))
    reading.put("CFG scale", said.get("cfg_scale"))
    reading.put("Distilled CFG Scale", said.get("guidance"))
    reading.put("Seed", said.get("seed"))
    reading.put_size(said.get("width"), said.get("height"))
    reading.put("Model", _model_name(said.get("model")))
    reading.put("VAE", _model_name(said.get("vae")))
    if (skip := whole(said.get("clip_skip"))) is not None and skip > 0:
        reading.put("Clip skip", skip + 1)
    for one in (mapping(entry) for entry in listed(said.get("loras"))[:200]):
        reading.put_network(_model_name(one.get("lora") or one.get("model")), one.get("weight"))
    if said.get("refiner_model"):
        reading.put("Refiner", _model_name(said.get("refiner_model")))
        reading.put("Refiner switch at", said.get("refiner_start"))
    if said.get("init_image") or "img2img" in shown(said.get("generation_mode")):
        reading.put("Denoising strength", said.get("strength"))
    if said.get("hrf_enabled") is True:
        reading.leave("High resolution fix", said.get("hrf_method") or "on")
    reading.leave("CFG rescale", said.get("cfg_rescale_multiplier") or None)
    style = shown(said.get("positive_style_prompt"))
    if style and style != prompt:
        reading.leave("Style prompt", style)
    for axis in ("seamless_x", "seamless_y"):
        if said.get(axis) is True:
            reading.leave("Tiling", axis)
    for name, label in _FEATURES.items():
        if listed(said.get(name)):
            reading.leave(label, f"{len(said[name])} of them")
    reading.rows |= {"Version": shown(said.get("app_version")), "Mode": shown(said.get("generation_mode"))}
    reading.rows["Model hash of InvokeAI"] = shown(mapping(said.get("model")).get("hash"))
    return reading


def _of_older(said: Mapping[str, Any]) -> Reading:
    reading = Reading(PROGRAM)
    image = mapping(said.get("image"))
    written = image.get("prompt")
    texts = [mapping(one) for one in listed(written)[:50]]
    prompt = shown(written) or " ".join(shown(one.get("prompt")) for one in texts)
    _put_prompts(reading, *split_negative(prompt))
    if any(one.get("weight") not in (None, 1, 1.0) for one in texts):
        reading.leave("Weights of parts", ", ".join(shown(one.get("weight")) for one in texts))
    reading.put("Steps", image.get("steps"))
    reading.pairs |= sampler_pairs(image.get("sampler"))
    reading.put("CFG scale", image.get("cfg_scale"))
    reading.put("Seed", image.get("seed"))
    reading.put_size(image.get("width"), image.get("height"))
    reading.put("Model", bare_name(said.get("model_weights")))
    if image.get("type") == "img2img":
        reading.put("Denoising strength", image.get("strength"))
    if image.get("hires_fix") is True:
        reading.leave("High resolution fix", "on")
    if image.get("seamless") is True:
        reading.put("Tiling", "True")
    reading.rows["Version"] = shown(said.get("app_version"))
    return reading


def _of_command(text: str) -> Reading:
    """Of `"a prompt" -s 50 -S 123 -W 512 -H 512 -C 7.5 -A k_lms`; options may touch their values."""
    reading = Reading(PROGRAM)
    text = text[:_LONGEST_COMMAND]
    try:
        prompt = next(iter(shlex.split(text)), "")
    except ValueError:  # a quotation mark without its other one
        prompt = text.partition(" -")[0].strip('"')
    _put_prompts(reading, *split_negative(prompt))
    found = dict(_OPTION.findall(text.rpartition('"')[2]))
    for option, key in _OPTIONS.items():
        reading.put(key, found.get(option))
    reading.pairs |= sampler_pairs(found.get("-A"))
    reading.put_size(found.get("-W"), found.get("-H"))
    return reading


def _put_prompts(reading: Reading, prompt: str, negative: str) -> None:
    """Weights are those of compel, which A1111 writes otherwise; what it has no form for stays as text."""
    reading.pairs |= {"Prompt": a1111_weights(prompt), "Negative prompt": a1111_weights(negative)}
    for mark in (".blend(", ".and(", ".swap("):
        if mark in prompt:
            reading.leave("Prompt", mark.strip(".("), "is InvokeAI's way to mix words; it stays in the prompt as text")


def _model_name(model: object) -> str:
    said = mapping(model)
    return bare_name(said.get("name") or said.get("model_name") or model)
