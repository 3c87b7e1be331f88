"""The LoRAs and textual inversions that there are, as A1111's clients list them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.sdapi.model_lists import told_to
from modules.api.services import Services
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.tensor_file import read_tensor_header
from modules.jobs.models.word_widths import why_embedding_does_not_fit
from modules.jobs.visitor import visitor_of

# What people look for comes first, as with A1111.
_FIRST = ("ss_sd_model_name", "ss_resolution", "ss_clip_skip", "ss_num_train_images", "ss_tag_frequency")
_PICTURES = "ssmd_cover_images"  # of which A1111 tells nobody: they may be megabytes


def routes(services: Services) -> APIRouter:
    """GET loras and embeddings; the routes that look again are those of all models."""
    router = APIRouter(prefix="/sdapi/v1")
    catalogue, workers, options = services.catalogue, services.workers, services.options

    @router.get("/loras")
    async def loras(request: Request) -> Response:
        """The LoRAs that can be used, with what their files say of themselves."""
        trusted = visitor_of(request.scope).trusted
        listed = await workers.run(lora_list, catalogue, with_metadata=trusted)
        return json_answer(told_to(request, listed))

    @router.get("/embeddings")
    async def embeddings() -> Response:
        """The textual inversions: those that the chosen checkpoint reads, and those that are for others."""
        chosen = options.values.sd_model_checkpoint
        return json_answer(await workers.run(embedding_list, catalogue, chosen))

    return router


def lora_list(catalogue: CheckpointCatalogue, *, with_metadata: bool) -> list[dict[str, Any]]:
    """Return the LoRAs that can be used; both names of each may stand in a prompt."""
    names = catalogue.networks.names()
    return [
        {
            "name": names.name_of(one),
            "alias": names.name_of(one, by_alias=True),
            "path": str(one.path),
            "metadata": metadata_of_file(one) if with_metadata else {},
        }
        for one in catalogue.files.list("lora")
        if one.problem is None
    ]


def metadata_of_file(file: ModelFile) -> dict[str, Any]:
    """Return what a LoRA's file says of itself, its tables as objects; nothing of one that has just gone."""
    try:
        metadata = read_tensor_header(file.path).metadata
    except (OSError, ValueError):
        return {}
    told = sorted(metadata, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return {name: _parsed(metadata[name]) for name in told if name != _PICTURES}


def embedding_list(catalogue: CheckpointCatalogue, checkpoint: str) -> dict[str, dict[str, Any]]:
    """Return those that this checkpoint reads as loaded, all others as skipped."""
    reading = catalogue.known(checkpoint)
    usable = {word: file for word, file in catalogue.networks.words().items() if file.problem is None}
    return {
        "loaded": _told(usable, reading, fitting=True),
        "skipped": _told(usable, reading, fitting=False),
    }


def _told(words: Mapping[str, ModelFile], reading: Checkpoint | None, *, fitting: bool) -> dict[str, Any]:
    return {word: _facts(file) for word, file in words.items() if _fits(file, reading) is fitting}


def _fits(file: ModelFile, reading: Checkpoint | None) -> bool:
    return reading is None or why_embedding_does_not_fit(file, reading) is None


def _facts(file: ModelFile) -> dict[str, Any]:
    """Return one under A1111's names. Of a pickle neither width nor number of vectors is known before it is loaded."""
    facts = file.network
    return {
        "step": None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        "shape": (facts.width if facts is not None else None) or 0,
        "vectors": (facts.vectors if facts is not None else None) or 0,
    }


def _parsed(value: str) -> Any:
    if not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
