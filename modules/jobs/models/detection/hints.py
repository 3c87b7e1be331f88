"""What people and sites say of a model where its weights are silent: its name, its metadata, texts beside it.

`name.safetensors` may have beside it `name.civitai.info`, `name.json` and others with the `baseModel` of Civitai, and
`name.defaults.json`, in which its owner has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.jobs.models.families import facts_of
from modules.jobs.models.untrusted_file import read_object

OWNERS_WORD = ".defaults.json"
# In the order in which they are believed.
_SIDE_CARS = (".civitai.info", ".json", ".metadata.json", ".cm-info.json")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HYPERREAL = re.compile(r"hyper[\W_]*(?=real|detail)", re.IGNORECASE)  # what people draw, and no few steps
_ALPHANUMERIC = re.compile(r"[^\W_]+")
_LONGEST_NAME = 256
_BY_SD_VERSION = {"SD1": "sd1", "SD2": "sd2", "SDXL": "sdxl", "SD3": "sd3"}


def words_of(name: str) -> frozenset[str]:
    """Return the words of a name, case-folded: "dreamXL_v21TurboSDE" has dream, xl, turbo, sde, and dreamxl."""
    text = _HYPERREAL.sub("", name[:_LONGEST_NAME])
    whole = _ALPHANUMERIC.findall(text)
    return frozenset(word.casefold() for word in (*whole, *_WORD.findall(text)))


def told_variant(family: str, variant: str, words: frozenset[str]) -> str | None:
    """Return the variant that words speak for, None where they say nothing. `variant` is what the weights show."""
    facts = facts_of(family)
    if facts is None:
        return None
    for one in facts.variants:
        if variant in one.within and words & set(one.words):
            return one.name
    if family == "z-image" and variant == "turbo" and {"z", "image"} <= words and not words & {"turbo", "zit"}:
        return "base"  # As those who published it call its file: "z_image_bf16", beside "z_image_turbo_bf16".
    return None


def read_base_model(path: Path) -> str:
    """Return what Civitai says that a model was made from, "" where no side-car says it."""
    stem = path.with_suffix("")
    for suffix in _SIDE_CARS:
        said = _read_or_nothing(stem.with_name(stem.name + suffix))
        if said is not None and (found := _base_model(said, path.name)):
            return found
    return ""


def read_owners_word(path: Path) -> Mapping[str, str]:
    """Return what its owner says of a model file beside it: "variant" and "prediction"."""
    stem = path.with_suffix("")
    said = _read_or_nothing(stem.with_name(stem.name + OWNERS_WORD)) or {}
    return {key: said[key] for key in ("variant", "prediction") if isinstance(said.get(key), str)}


def told_family(path: Path) -> str:
    """Return the family that A1111's side-car says a LoRA or an embedding is for ("sd version"), "" where none does."""
    stem = path.with_suffix("")
    said = (_read_or_nothing(stem.with_name(stem.name + ".json")) or {}).get("sd version")
    return _BY_SD_VERSION.get(said, "") if isinstance(said, str) else ""


def _base_model(said: Mapping[str, Any], file_name: str) -> str:
    """Return `baseModel` of a version; of a whole model of Civitai, that of the version that has the file."""
    for key in ("baseModel", "base_model", "BaseModel"):
        if isinstance(said.get(key), str):
            return str(said[key])[:_LONGEST_NAME]
    versions = said.get("modelVersions")
    known = [one for one in versions if isinstance(one, dict)] if isinstance(versions, list) else []
    mine = [one for one in known if _has_file(one, file_name)] or known[:1]
    return _base_model({"baseModel": mine[0].get("baseModel")}, file_name) if mine else ""


def _has_file(version: Mapping[str, Any], file_name: str) -> bool:
    files = version.get("files")
    return isinstance(files, list) and any(isinstance(one, dict) and one.get("name") == file_name for one in files)


def _read_or_nothing(path: Path) -> dict[str, Any] | None:
    try:
        return read_object(path)
    except (OSError, ValueError):
        return None
