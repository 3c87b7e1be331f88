"""Models that an infotext names, found among those that are here: by hash, else by name without folder and ending."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from modules.images.foreign.reading import bare_name
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.vae_file import VaeFile

# A shorter one may be that of many.
SHORTEST_HASH = 8
_TITLE = re.compile(r"(?P<name>.*)\[(?P<hash>[0-9a-f]+)\]")

Model = TypeVar("Model", Checkpoint, VaeFile)


def find_model(name: str, digest: str, checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the model with this hash, else the one of this name or title, whatever its folder, ending or case."""
    title = _TITLE.fullmatch(name.strip().casefold())
    bare, digest = (title["name"], digest or title["hash"]) if title else (name, digest)
    return _with_hash(digest, checkpoints) or _named(bare, checkpoints)


def find_checkpoint(title: str, checkpoints: Sequence[Checkpoint]) -> str | None:
    """Return the name here of a usable model, of its title elsewhere, as A1111 writes it; None: it is not here."""
    found = find_model(title, "", [one for one in checkpoints if one.problem is None])
    return None if found is None else found.name


def find_vae(name: str, digest: str, vaes: Sequence[VaeFile]) -> str | None:
    """Return the name here of a usable VAE, by its hash, else by its name; None: it is not here."""
    usable = [one for one in vaes if one.problem is None]
    found = _with_hash(digest, usable) or _named(name, usable)
    return None if found is None else found.name


def hashes_in(text: str) -> dict[str, str]:
    """Return the hashes by name of "name: hash, name: hash", which A1111 writes of LoRAs and embeddings."""
    pairs = (one.rpartition(":") for one in text.split(","))
    return {name.strip(): digest.strip().casefold() for name, _colon, digest in pairs if name.strip()}


def _with_hash(digest: str, models: Sequence[Model]) -> Model | None:
    if len(digest) < SHORTEST_HASH:
        return None
    wanted = digest.casefold()
    return next((one for one in models if one.sha256 and one.sha256.startswith(wanted)), None)


def _named(name: str, models: Sequence[Model]) -> Model | None:
    wanted = bare_name(name).casefold()
    return next((one for one in models if wanted and bare_name(one.name).casefold() == wanted), None)
