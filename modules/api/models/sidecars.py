"""The files beside a model that belong to it: pictures, notes, configurations, named as by A1111 and Civitai helpers.

A side-car of `dream.safetensors` is called `dream` and one of the endings here; `dream.v2.safetensors` is none of it.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.api.answers import Refused
from modules.jobs.models.untrusted_file import is_regular, open_regular, read_object
from modules.paths import write_atomically

PICTURES = tuple(
    f"{before}.{kind}{after}"
    for before, after in ((".preview", ""), ("", ""), (".thumb", ""))
    for kind in ("png", "jpg", "jpeg", "webp", "gif")
)
NOTES = ".json"
_CIVITAI = ".civitai.info"
_TEXTS = (NOTES, _CIVITAI, ".metadata.json", ".cm-info.json", ".txt", ".description.txt", ".yaml", ".yml")
_DESCRIPTIONS = (".description.txt", ".txt")
_VAES = (".vae.safetensors", ".vae.pt", ".vae.ckpt")
ENDINGS = PICTURES + _TEXTS + _VAES
_WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")
_LONGEST_TEXT = 20_000
LARGEST_WEIGHT = 10.0
# As Civitai's editor writes it; "a < b" is none.
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_END_OF_LINE = re.compile(r"<br[^<>]*>|</(?:p|li|h[1-6]|div)>", re.IGNORECASE)
_writing = threading.Lock()


@dataclass(frozen=True)
class Texts:
    """What people wrote of a model, in the words of A1111's side-car. A `preferred_weight` of 0 is none."""

    description: str = ""
    activation_text: str = ""
    notes: str = ""
    negative_text: str = ""
    preferred_weight: float = 0.0
    sd_version: str = ""


def picture_of(path: Path, stem: str) -> Path | None:
    """Return the picture beside a model, None when there is none."""
    return next((one for ending in PICTURES if is_regular(one := path.with_name(stem + ending))), None)


def sidecars_of(path: Path, stem: str) -> list[Path]:
    """Return the files that go where the model goes; none where another model of the same name shares them."""
    others = (path.with_name(stem + ending) for ending in _WEIGHTS)
    if any(one != path and one.exists() for one in (*others, path.with_name(stem))):
        return []
    return [one for ending in ENDINGS if is_regular(one := path.with_name(stem + ending))]


def read_texts(path: Path, stem: str) -> Texts:
    """Return what is written of a model: by A1111, by Civitai in either of its forms, in a text; what cannot be read is
    left out.
    """
    told = _read(path.with_name(stem + NOTES))
    civitai = _read(path.with_name(stem + _CIVITAI))
    descriptions = (
        _text(told, "description"),
        _text(civitai, "description"),
        *(_read_text(path.with_name(stem + ending)) for ending in _DESCRIPTIONS),
    )
    return Texts(
        description=_plain(next(filter(None, descriptions), "")),
        activation_text=_text(told, "activation text") or _trained_words(told) or _trained_words(civitai),
        notes=_text(told, "notes"),
        negative_text=_text(told, "negative text"),
        preferred_weight=_weight(told.get("preferred weight")),
        sd_version=_text(told, "sd version"),
    )


def write_texts(path: Path, stem: str, changes: Mapping[str, str | float]) -> None:
    """Change what A1111's side-car says, all that it says besides stays.

    Raises:
        Refused: 409, the side-car holds something that would be lost.
        StorageError: it cannot be written.
    """
    sidecar = path.with_name(stem + NOTES)
    with _writing:
        try:
            told = read_object(sidecar)
        except FileNotFoundError:
            told = {}
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Refused(409, f"{sidecar} {reason}: repair it or take it away, then the notes can be kept.") from error
        data = json.dumps({**told, **changes}, ensure_ascii=False, indent=4)
        write_atomically(sidecar, data.encode("utf-8", errors="replace"), as_open_as_folder=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except (OSError, ValueError):
        return {}


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value.strip()[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _weight(value: object) -> float:
    """Return how much of a LoRA is best; older side-cars have it as text."""
    try:
        weight = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
    return weight if abs(weight) <= LARGEST_WEIGHT else 0.0


def _read_text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read(_LONGEST_TEXT).decode("utf-8", errors="replace").strip()
    except OSError:
        return ""


def _trained_words(told: dict[str, Any]) -> str:
    """Return the words that Civitai tells of a version, or of the newest version of a model."""
    versions = told.get("modelVersions")
    version = versions[0] if isinstance(versions, list) and versions else told
    words = version.get("trainedWords") if isinstance(version, dict) else None
    return ", ".join(str(one) for one in words)[:_LONGEST_TEXT] if isinstance(words, list) else ""


def _plain(text: str) -> str:
    """Return what Civitai's HTML says; any other text as it is."""
    if not _TAG.search(text):
        return text
    lines = html.unescape(_TAG.sub("", _END_OF_LINE.sub("\n", text))).splitlines()
    return "\n".join(filter(None, (line.strip() for line in lines)))
