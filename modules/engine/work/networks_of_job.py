"""The LoRAs and textual inversions of a job, found when its words are settled, and kept in its row from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from modules.engine.work.model_finder import ModelFinder
from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.drawing_request import DrawingRequest, source_of
from modules.jobs.kinds.network_texts import texts_of
from modules.jobs.kinds.networks import Networks, find_networks
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings


class ClosedNetworks(NamedTuple):
    """A job with its LoRAs and embeddings, these as they are on disk, and what people are told of the others."""

    models: Models
    resolved: ResolvedJob
    told: tuple[str, ...]


def close_networks(
    resolved: ResolvedJob,
    models: Models,
    request: DrawingRequest,
    settings: Settings,
    catalogue: CheckpointCatalogue,
    finder: ModelFinder,
) -> ClosedNetworks:
    """Return a job with the LoRAs and embeddings that its words call for, all of them hashed.

    What was chosen when it was sent, which `models` has, stays.

    Raises:
        Interrupted: the job is stopped meanwhile.
        ModelError: one cannot be read; or one is left out, and that is to be refused.
    """
    called = not request.disable_extra_networks
    texts = [text if called else text._replace(calls=False) for text in texts_of(resolved)]
    found = find_networks(texts, models.drawing, catalogue, Networks(models.networks, models.embeddings))
    if request.settings_over(settings).networks_missing == "refuse":
        try:
            found.check()
        except InvalidRequest as error:
            raise ModelError(str(error)) from error
    loras = {name: finder.hashed_file(file) for name, file in found.loras.items()}
    embeddings = {word: finder.hashed_file(file) for word, file in found.embeddings.items()}
    sources = resolved.sources.model_copy(
        update={
            "networks": {name: source_of(file) for name, file in loras.items()},
            "embeddings": {word: source_of(file) for word, file in embeddings.items()},
        }
    )
    return ClosedNetworks(
        replace(models, networks=loras, embeddings=embeddings),
        resolved.model_copy(update={"sources": sources}),
        found.told(),
    )
