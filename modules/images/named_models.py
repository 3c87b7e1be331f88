"""The models that an infotext names, of all kinds, each with the hash that it gives of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from modules.images.models_by_name import hashes_in

_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^:<>]{1,200}+)[^<>]{0,200}+>", re.IGNORECASE)
_KINDS = {"lora": "LoRA", "lyco": "LoRA", "hypernet": "Hypernetwork"}
_TITLED = {"Refiner": "Checkpoint", "Hires checkpoint": "Checkpoint"}
_WITH_HASH = re.compile(r"(?P<name>.*?)\s*\[(?P<hash>[0-9a-fA-F]{6,64})\]")
_MODULE = re.compile(r"Module [0-9]{1,2}")
_NONE = ("", "None", "Automatic", "Use same checkpoint")
_MOST = 200


class NamedModel(NamedTuple):
    """A model: its kind in words, its name, and its hash, "" where none is given."""

    kind: str
    name: str
    hash: str


def models_in(pairs: Mapping[str, str]) -> tuple[NamedModel, ...]:
    """Return the models that these pairs name, in their order, each once."""
    return tuple(dict.fromkeys(_models(pairs)))[:_MOST]


def _models(pairs: Mapping[str, str]) -> Iterator[NamedModel]:
    if pairs.get("Model") or pairs.get("Model hash"):
        yield NamedModel("Checkpoint", pairs.get("Model", ""), pairs.get("Model hash", ""))
    for key, kind in _TITLED.items():
        title = pairs.get(key, "")
        if title not in _NONE:
            found = _WITH_HASH.fullmatch(title[:500])
            yield NamedModel(kind, found["name"], found["hash"]) if found else NamedModel(kind, title, "")
    if pairs.get("VAE", "") not in _NONE:
        yield NamedModel("VAE", pairs["VAE"], pairs.get("VAE hash", ""))
    yield from (NamedModel("Text encoder or VAE", value, "") for key, value in pairs.items() if _MODULE.fullmatch(key))
    hashes = hashes_in(pairs.get("Lora hashes", ""))
    words = f"{pairs.get('Prompt', '')}\n{pairs.get('Negative prompt', '')}"
    for kind, name in _NETWORK.findall(words)[:_MOST]:
        yield NamedModel(_KINDS[kind.lower()], name.strip(), hashes.pop(name.strip(), ""))
    yield from (NamedModel("LoRA", name, digest) for name, digest in hashes.items())
    embeddings = hashes_in(pairs.get("TI hashes", ""))
    yield from (NamedModel("Embedding", name, digest) for name, digest in embeddings.items())
