"""The models that there are, as A1111's and Forge's clients list them."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.services import Services
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.names import without_suffix
from modules.jobs.models.places import COMPANIONS
from modules.jobs.visitor import visitor_of

_PLACES = ("filename", "path", "config", "model_path")


def routes(services: Services) -> APIRouter:
    """GET sd-models, sd-vae and sd-modules; POST refresh-*."""
    router = APIRouter(prefix="/sdapi/v1")
    catalogue, workers = services.catalogue, services.workers

    @router.get("/sd-models")
    async def sd_models(request: Request) -> Response:
        """The checkpoints that can be used."""
        return json_answer(told_to(request, await workers.run(model_list, catalogue)))

    @router.get("/sd-vae")
    async def sd_vae(request: Request) -> Response:
        """The VAEs in files of their own that can be used."""
        return json_answer(told_to(request, await workers.run(vae_list, catalogue)))

    @router.get("/sd-modules")
    async def sd_modules(request: Request) -> Response:
        """The text encoders and VAEs in files of their own that can be used, as Forge lists them."""
        return json_answer(told_to(request, await workers.run(module_list, catalogue)))

    @router.post("/refresh-checkpoints")
    @router.post("/refresh-vae")
    @router.post("/refresh-embeddings")
    @router.post("/refresh-loras")
    async def refresh() -> Response:
        """Look at the models folders again."""
        await workers.run(catalogue.refresh)
        return json_answer(None)

    return router


def model_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return the checkpoints that can be used."""
    return [
        {
            "title": one.title,
            "model_name": _model_name(one),
            "hash": one.short_hash,
            "sha256": one.sha256,
            "filename": str(one.path),
            "config": _config_of(one),
        }
        for one in catalogue.list()
        if one.problem is None
    ]


def vae_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return the VAEs that can be used."""
    return [{"model_name": vae.name, "filename": str(vae.path)} for vae in catalogue.vaes.list() if vae.problem is None]


def module_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return the text encoders and VAEs that can be used."""
    files = [one for kind in COMPANIONS for one in catalogue.files.list(kind) if one.problem is None]
    return [{"model_name": one.name, "filename": str(one.path)} for one in files]


def _model_name(one: Checkpoint) -> str:
    """Return the name as A1111 has it: without suffix, and with "_" between folders."""
    return one.name_without_suffix.replace("/", "_") if one.kind == "file" else one.name


def _config_of(one: Checkpoint) -> str | None:
    """Return the YAML beside a single file that says how it was trained, None where there is none."""
    return f"{without_suffix(str(one.path))}.yaml" if one.kind == "file" and "+.yaml" in one.stamp else None


def told_to(request: Request, models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return models as a visitor may see them: where they lie is told to those who are trusted."""
    if visitor_of(request.scope).trusted:
        return models
    return [one | {key: PurePath(one[key]).name for key in _PLACES if one.get(key)} for one in models]
