"""Which of the models that an infotext names are here, and under which name."""

from __future__ import annotations

from modules.errors import InvalidRequest
from modules.images.models_by_name import SHORTEST_HASH, find_model, find_vae
from modules.images.named_models import NamedModel
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
        by_hash = catalogue.networks.of_hash(named.hash.casefold()) if len(named.hash) >= SHORTEST_HASH else None
        return _usable(by_hash) or _usable(catalogue.networks.find(named.name))
    try:
        return _usable(catalogue.find_companion(named.name))
    except InvalidRequest:
        return None


def _usable(file: ModelFile | None) -> str | None:
    return None if file is None or file.problem is not None else file.name
