"""What other programs write into their pictures: NovelAI's becomes an infotext, of the rest the program is named."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

# Keys of text chunks that name the program, where its settings are not in A1111's form.
_PROGRAMS = {
    "workflow": "ComfyUI", "invokeai_metadata": "InvokeAI", "sd-metadata": "InvokeAI", "fooocus_scheme": "Fooocus",
    "sui_image_params": "SwarmUI", "Dream": "InvokeAI",
}  # fmt: skip
_NOVELAI_SAMPLERS = {
    "k_euler": "Euler", "k_euler_ancestral": "Euler a", "k_lms": "LMS", "k_heun": "Heun", "k_dpm_2": "DPM2",
    "k_dpm_2_ancestral": "DPM2 a", "k_dpmpp_2m": "DPM++ 2M", "k_dpmpp_2s_ancestral": "DPM++ 2S a",
    "k_dpmpp_sde": "DPM++ SDE", "ddim": "DDIM", "plms": "PLMS",
}  # fmt: skip


def infotext_in(items: Mapping[str, str]) -> str:
    """Return the infotext in a picture's text chunks, "" where there is none."""
    if items.get("Software") == "NovelAI":
        return _of_novelai(items)
    text = items.get("parameters", "")
    return "" if text.lstrip().startswith("{") else text


def program_of(items: Mapping[str, str]) -> str | None:
    """Return the program whose settings a picture holds in a form of its own, None where there is none."""
    found = next((program for key, program in _PROGRAMS.items() if key in items), None)
    if found is None and "sui_image_params" in items.get("parameters", "")[:200]:
        found = "SwarmUI"
    return found


def _of_novelai(items: Mapping[str, str]) -> str:
    """As A1111 does it: with Clip skip 2 and the noise seed delta of NovelAI."""
    said: Any = {}
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(items.get("Comment", ""))
    if not isinstance(said, dict):
        said = {}
    sampler = _NOVELAI_SAMPLERS.get(str(said.get("sampler")), "Euler a")
    pairs = [f"Steps: {said.get('steps')}", f"Sampler: {sampler}", f"CFG scale: {said.get('scale')}"]
    pairs.append(f"Seed: {said.get('seed')}")
    if "width" in said and "height" in said:
        pairs.append(f"Size: {said['width']}x{said['height']}")
    pairs += ["Clip skip: 2", "ENSD: 31337"]
    return f"{items.get('Description', '')}\nNegative prompt: {said.get('uc', '')}\n{', '.join(pairs)}"
