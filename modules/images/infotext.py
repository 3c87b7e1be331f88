"""A1111's infotext: the words under a picture and in its `parameters` chunk, and the way back to a request.

    red heart
    Negative prompt: blurry
    Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 512x512, …

Facts: A1111 v1.10.1, `create_infotext` and `infotext_utils`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from modules.images import noise_pairs
from modules.images.civitai_resources import cut_resources
from modules.images.pair_values import number_in, size_in, whole_in
from modules.images.picture_pairs import fields_in
from modules.images.taken_reading import overrides_in
from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.fields import MODULES_MOST
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import kind_of
from modules.jobs.samplers import split_sampler

_NEGATIVE = "Negative prompt:"
_FEWEST_PAIRS = 3
# A key has at most 60 characters and gives none back, so a long text without a colon costs no more than its length.
_PAIR = re.compile(r'(\w[\w \-/]{1,60}+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_NUMBERS = {"CFG scale": "cfg_scale", "Distilled CFG Scale": "distilled_cfg_scale", "Shift": "shift"}
_PARTIAL = "Partial"
_WORDS = ("Prompt", "Negative prompt")
# A1111's own keys; all others stand behind them.
_ORDER = (
    "Steps", "Sampler", "Schedule type", "CFG scale", "Distilled CFG Scale", "Image CFG scale", "Seed",
    "Face restoration", "Size", "Model hash", "Model", "VAE hash", "VAE", "Variation seed", "Variation seed strength",
    "Denoising strength", "Clip skip", "ENSD", "Tiling",
)  # fmt: skip
_MOST_CLIP_SKIP = 12
_MODULE = "Module "  # and a number: a text encoder or a VAE that was chosen by hand


def write(resolved: ResolvedJob, index: int, steps_done: int | None = None) -> str:
    """Return the infotext of the picture with this index.

    `steps_done` marks a picture that was stopped: `Partial: 12/30`.
    """
    partial = {} if steps_done is None else {_PARTIAL: f"{steps_done}/{resolved.step_count}"}
    return _whole(resolved, index, kind_of(resolved).infotext(resolved, index) | partial)


def write_sheet(grid: ResolvedGrid, z: int | None = None) -> str:
    """Return the infotext of a sheet of a grid, None: of all of them: its first cell's, and what made a grid of it.

    As A1111 has it, a single one of several sheets says nothing of what the others differ by.
    """
    of_sheet = [cell for cell in grid.cells if z is None or cell.place[2] == z]
    first = min(of_sheet or grid.cells, key=lambda cell: cell.place[::-1])
    pairs = {key: value for key, value in grid.layout.pairs.items() if z is None or not _of_sheets(key)}
    return _whole(first.drawn, 0, kind_of(first.drawn).infotext(first.drawn, 0) | pairs)


def _of_sheets(key: str) -> bool:
    return key.removeprefix("Fixed ").startswith("Z ")


def _whole(resolved: ResolvedJob, index: int, pairs: dict[str, Any]) -> str:
    if resolved.saving.add_version_to_infotext:
        # Not "v0.1.0": A1111 would take that for its own and turn on what its old versions did.
        pairs["Version"] = f"steady-{resolved.version}"
    words = resolved.words.of(index)
    negative = f"\n{_NEGATIVE} {words.negative_prompt}" if words.negative_prompt else ""
    return f"{words.prompt}{negative}\n{_join(pairs)}".strip()


def write_extras(resolved: Resolved, index: int) -> str:
    """Return what was done to the picture with this index, as A1111 writes it."""
    pairs = kind_of(resolved).infotext(resolved, index)
    if resolved.saving.add_version_to_infotext:
        pairs["Version"] = f"steady-{resolved.version}"
    return _join(pairs)


def with_extras(text: str, extras: str) -> str:
    """Return the infotext that a picture had before, with what was done to it since among its pairs."""
    version = parse_pairs(text).get("Version")
    added = extras if version is None else re.sub(r"(^|, )Version: [^,]*$", "", extras)
    if not text or not added:
        return text or added
    return f"{text}, {added}" if len(_PAIR.findall(text.split("\n")[-1])) >= _FEWEST_PAIRS else f"{text}\n{added}"


def parse_pairs(text: str) -> dict[str, str]:
    """Return what the infotext says, under its own keys, with `Prompt` and `Negative prompt`; `Size` as it stands.

    The last line holds the pairs only if there are three of them at least; else it belongs to the prompt.
    """
    return parse_whole(text)[0]


def parse_whole(text: str) -> tuple[dict[str, str], list[Any]]:
    """Return the same, and the models that Civitai names in it."""
    lines = text.strip().split("\n")
    last, resources = cut_resources(lines[-1])
    found = _PAIR.findall(last)
    if len(found) >= _FEWEST_PAIRS:
        lines = lines[:-1]
    else:
        found, resources = [], []
    prompt, negative = _split_prompts(lines)
    pairs = {"Prompt": prompt, "Negative prompt": negative}
    return pairs | {key: _unquote(value) for key, value in found}, resources


def looks_like_infotext(text: str) -> bool:
    """Tell whether a text holds settings and not only a prompt."""
    pairs = parse_pairs(text)
    return "Steps" in pairs or len(pairs) > 2


def text_of(pairs: Mapping[str, str]) -> str:
    """Return the infotext with these pairs, of which `Prompt` and `Negative prompt` are its words, in A1111's order."""
    places = {key: place for place, key in enumerate(_ORDER)}
    rest = sorted((key for key in pairs if key not in _WORDS), key=lambda key: places.get(key, len(places)))
    negative = pairs.get("Negative prompt", "")
    words = pairs.get("Prompt", "") + (f"\n{_NEGATIVE} {negative}" if negative else "")
    return f"{words}\n{_join({key: pairs[key] for key in rest})}".strip()


def parse(text: str) -> dict[str, Any]:
    """Return the fields of a request that the infotext gives; those that it leaves open are absent.

    Keys of other programs are ignored, and so are values that cannot be read.
    """
    return fields_of(parse_pairs(text))


def fields_of(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the same of pairs that are parsed already."""
    fields: dict[str, Any] = {"prompt": pairs["Prompt"], "negative_prompt": pairs["Negative prompt"]}
    if "Sampler" in pairs:
        sampler, schedule = split_sampler(pairs["Sampler"])
        fields["sampler_name"] = sampler
        fields["scheduler"] = pairs.get("Schedule type") or schedule or "Automatic"
    for key, field in (("Steps", "steps"), ("Seed", "seed")):
        if (whole := whole_in(pairs.get(key, ""))) is not None and whole >= 0:
            fields[field] = whole
    for key, field in _NUMBERS.items():
        if (number := number_in(pairs.get(key, ""))) is not None:
            fields[field] = number
    if (size := size_in(pairs.get("Size", ""))) is not None:
        fields["width"], fields["height"] = size
    overrides = _overrides_in(pairs)
    if overrides:
        fields["override_settings"] = overrides
    if pairs.get("Refiner"):
        fields["refiner_checkpoint"] = pairs["Refiner"]
        switch_at = number_in(pairs.get("Refiner switch at", ""))
        if switch_at is not None and 0 <= switch_at <= 1:
            fields["refiner_switch_at"] = switch_at
    return fields | noise_pairs.fields_in(pairs) | fields_in(pairs)


def _overrides_in(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return what an infotext says that are settings of A1111."""
    overrides: dict[str, Any] = {}
    if model := pairs.get("Model") or pairs.get("Model hash"):
        overrides["sd_model_checkpoint"] = model
    if vae := pairs.get("VAE"):
        overrides["sd_vae"] = vae
    skip = whole_in(pairs.get("Clip skip", ""))
    if skip is not None and 1 < skip <= _MOST_CLIP_SKIP:
        overrides["CLIP_stop_at_last_layers"] = skip
    overrides |= noise_pairs.overrides_in(pairs)
    named = (pairs.get(f"{_MODULE}{number}") for number in range(1, MODULES_MOST + 1))
    if modules := [name for name in named if name]:
        overrides[MODULES] = modules
    return overrides | overrides_in(pairs)


def _split_prompts(lines: list[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    part = prompt
    for line in lines:
        stripped = line.strip()
        if part is prompt and stripped.startswith(_NEGATIVE):
            part = negative
            stripped = stripped.removeprefix(_NEGATIVE).strip()
        part.append(stripped)
    return "\n".join(prompt).strip(), "\n".join(negative).strip()


def _join(pairs: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {_quote(value)}" for key, value in pairs.items() if value is not None)


def _quote(value: object) -> str:
    """Quote as A1111 does, and also where the bare text would not be read back as it was; 7 rather than 7.0."""
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    needs_quotes = any(mark in text for mark in ",\n:") or text.startswith('"') or text != text.strip()
    return json.dumps(text, ensure_ascii=False) if needs_quotes else text


def _unquote(value: str) -> str:
    stripped = value.strip()
    if len(stripped) < 2 or not (stripped.startswith('"') and stripped.endswith('"')):
        return stripped
    try:
        return str(json.loads(stripped))
    except ValueError:
        return stripped
