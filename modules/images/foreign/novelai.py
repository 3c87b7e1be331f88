"""NovelAI: `Comment` is JSON, and its brackets weigh 1.05, not 1.1 as A1111's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from modules.images.foreign.reading import WEIGHED_LONGEST, Reading, load_object, mapping, shown
from modules.images.foreign.sampler_names import sampler_pairs

PROGRAM = "NovelAI"
_FACTOR = 1.05
_TOKEN = re.compile(r"[{}\[\]]|(?<![\w.])-?\d+(?:\.\d+)?::|::|[^{}\[\]:\d-]+|.", re.DOTALL)
_DEEPEST = 50


def read(items: Mapping[str, str]) -> Reading | None:
    """Read NovelAI's chunks as A1111 does: with Clip skip 2 and the noise seed delta of NovelAI."""
    if items.get("Software") != PROGRAM:
        return None
    said = load_object(items.get("Comment"))
    reading = Reading(PROGRAM)
    prompt = _mended(shown(said.get("prompt")) or items.get("Description", ""))
    negative = _mended(shown(said.get("uc")))
    reading.pairs |= {"Prompt": a1111_weights(prompt), "Negative prompt": a1111_weights(negative)}
    reading.put("Steps", said.get("steps"))
    reading.pairs |= sampler_pairs(said.get("sampler"), said.get("noise_schedule")) or {"Sampler": "Euler a"}
    reading.put("CFG scale", said.get("scale"))
    reading.put("Seed", said.get("seed"))
    reading.put_size(said.get("width"), said.get("height"))
    if "strength" in said and said.get("image") is not None:
        reading.put("Denoising strength", said.get("strength"))
    reading.pairs |= {"Clip skip": "2", "ENSD": "31337"}
    reading.leave("Model", items.get("Source"), "draws at NovelAI alone")
    for key, label in (("sm", "SMEA"), ("sm_dyn", "SMEA DYN"), ("dynamic_thresholding", "Decrisper")):
        if said.get(key) is True:
            reading.leave(label, "on")
    reading.leave("CFG rescale", said.get("cfg_rescale") or None)
    characters = mapping(mapping(said.get("v4_prompt")).get("caption")).get("char_captions")
    if isinstance(characters, list):
        captions = (shown(mapping(one).get("char_caption")) for one in characters[:20])
        reading.leave("Characters", " | ".join(one for one in captions if one))
    return reading


def a1111_weights(text: str) -> str:
    """Return a prompt with the weights of NovelAI, `{a}`, `[a]` and `1.5::a::`, as A1111 writes them: `(a:1.05)`.

    Round brackets, which are letters to NovelAI, are escaped.
    """
    if len(text) > WEIGHED_LONGEST:
        return text
    parts: list[tuple[str, float]] = []
    levels, factor = 0, 1.0
    for token in _TOKEN.findall(text):
        if token in "{]":
            levels += 1
        elif token in "}[":
            levels -= 1
        elif token == "::":
            factor = 1.0
        elif token.endswith("::"):
            factor = float(token[:-2])
        else:
            parts.append((token, round(factor * _FACTOR ** max(-_DEEPEST, min(levels, _DEEPEST)), 4)))
    runs = itertools.groupby(parts, key=lambda part: part[1])
    return "".join(_weighted("".join(piece for piece, _ in run), weight) for weight, run in runs)


def _weighted(piece: str, weight: float) -> str:
    plain = piece.replace("(", r"\(").replace(")", r"\)")
    return plain if weight == 1 or not piece.strip(" ,\n") else f"({plain}:{weight:g})"


def _mended(text: str) -> str:
    """Its chunks hold UTF-8 where the format has Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
