"""Infotexts as they are, of A1111 and those who write as it does: which program it was, and what is its own way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modules.images.foreign import civitai
from modules.images.foreign.reading import Reading, number
from modules.images.foreign.sampler_names import sampler_pairs

# By what an infotext's pairs say; the first that fits counts.
_VERSIONS = (
    (re.compile(r"steady-"), "Steady Diffusion"),
    (re.compile(r"f\d"), "Forge"),
    (re.compile(r"neo"), "Forge"),
    (re.compile(r"Fooocus"), "Fooocus"),
    (re.compile(r"ComfyUI"), "ComfyUI"),
    (re.compile(r"v?\d+\.\d+"), "A1111"),
)
_SD_NEXT = "SD.Next"
# What SD.Next tells about itself, of which no setting here follows.
_SD_NEXT_TELLING = ("App", "Pipeline", "Operations", "Backend", "Parser", "Index", "LoRA networks", "Scheduler")
_FOOOCUS_TELLING = ("Scheduler", "Raw prompt", "Raw negative prompt", "Lora weights", "Refiner hash")


def read(pairs: Mapping[str, str], resources: list[Any], program: str | None = None) -> Reading:
    """Return an infotext in A1111's words. `pairs` are those in it; `resources` what Civitai names beside them.

    `program` is whose it is, None: that follows from the pairs.
    """
    reading = Reading(program or _program_of(pairs, resources), dict(pairs))
    if reading.program == _SD_NEXT:
        _of_sd_next(reading)
    elif reading.program == "Fooocus":
        _of_fooocus(reading)
    reading.left += civitai.left_of(resources)
    return reading


def _program_of(pairs: Mapping[str, str], resources: list[Any]) -> str:
    if pairs.get("App", "").startswith("SD.Next"):
        return _SD_NEXT
    version = pairs.get("Version", "")
    for pattern, program in _VERSIONS:
        if pattern.match(version):
            return program
    return civitai.PROGRAM if resources else "A1111"


def _of_sd_next(reading: Reading) -> None:
    """Its "Default" sampler is the model's own, and it names the schedule type otherwise."""
    pairs = reading.pairs
    if pairs.get("Sampler") in ("Default", "None"):
        del pairs["Sampler"]
    elif "Scheduler" in pairs and "Schedule type" not in pairs:
        pairs.update(sampler_pairs(pairs.get("Sampler"), pairs["Scheduler"]))
    for network in pairs.get("LoRA networks", "").split(","):
        name, _, weight = network.strip().partition(":")
        reading.put_network(name, weight or 1)
    _move(reading, _SD_NEXT_TELLING)


def _of_fooocus(reading: Reading) -> None:
    """It names the noise levels otherwise, and LoRAs with their weights beside the prompt."""
    pairs = reading.pairs
    if "Schedule type" not in pairs and " " not in pairs.get("Scheduler", " "):
        pairs.update(sampler_pairs(pairs.get("Sampler"), pairs["Scheduler"]))
    pairs["Sampler"] = pairs.get("Sampler", "").removesuffix(" Karras")
    if pairs.get("VAE") in ("Default (model)", "None"):
        del pairs["VAE"]
    for network in pairs.get("Lora weights", "").split(","):
        name, _, weight = network.strip().rpartition(":")
        if name:
            reading.put_network(name, number(weight.strip(), 1.0))
    _move(reading, _FOOOCUS_TELLING)
    for key in ("Sharpness", "ADM Guidance", "Performance", "Styles", "Adaptive CFG", "FreeU"):
        reading.leave(key, pairs.pop(key, None))


def _move(reading: Reading, keys: tuple[str, ...]) -> None:
    reading.rows |= {key: reading.pairs.pop(key) for key in keys if key in reading.pairs}
