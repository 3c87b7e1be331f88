"""Which of the models that an infotext names are here, and under which name."""

from __future__ import annotations

from typing import Literal

from modules.errors import InvalidRequest
from modules.images.named_models import NamedModel
from modules.images.taken_parts import find_vae
from modules.images.takeover import find_model
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.model_file import ModelFile


def name_here(named: NamedModel, catalogue: CheckpointCatalogue) -> str | None:
    """Return the name here of a model that an infotext names; None: it is not here, or cannot be used."""
    if named.kind == "Checkpoint":
        found = find_model(named.name, named.hash.casefold(), catalogue.list())
        return None if found is None or found.problem is not None else found.name
    if named.kind == "VAE":
        return find_vae(named.name, named.hash, catalogue.vaes.list())
    if named.kind == "Embedding":
        return _usable(catalogue.networks.words().get(named.name))
    if named.kind == "LoRA":
        return _usable(catalogue.networks.find(named.name)) or _companion("lora", named.hash, catalogue)
    return _companion(None, named.name, catalogue)


def _companion(kind: Literal["lora"] | None, name: str, catalogue: CheckpointCatalogue) -> str | None:
    try:
        found = catalogue.find_companion(name) if kind is None else catalogue.files.find(kind, name)
    except InvalidRequest:
        return None
    return _usable(found)


def _usable(file: ModelFile | None) -> str | None:
    return None if file is None or file.problem is not None else file.name
