"""What enlarges and mends pictures, as A1111's clients list it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.sdapi.model_lists import told_to
from modules.api.services import Services
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.upscalers import Upscaler, is_real_esrgan

# What A1111 says of those that have no scale of their own.
_SCALE_OF_PLAIN = 4


def routes(services: Services) -> APIRouter:
    """GET upscalers, latent-upscale-modes, realesrgan-models and face-restorers."""
    router = APIRouter(prefix="/sdapi/v1")
    catalogue, workers = services.catalogue, services.workers

    @router.get("/upscalers")
    async def upscalers(request: Request) -> Response:
        """The upscalers that can be used; "None" is the first."""
        return json_answer(told_to(request, await workers.run(upscaler_list, catalogue)))

    @router.get("/latent-upscale-modes")
    async def latent_upscale_modes() -> Response:
        """How hires fix can enlarge latents."""
        return json_answer([{"name": name} for name in LATENT_MODES])

    @router.get("/realesrgan-models")
    async def realesrgan_models(request: Request) -> Response:
        """Those of the upscalers that are Real-ESRGAN's own."""
        return json_answer(told_to(request, await workers.run(real_esrgan_list, catalogue)))

    @router.get("/face-restorers")
    async def face_restorers() -> Response:
        """What mends faces."""
        return json_answer(await workers.run(face_restorer_list, catalogue))

    return router


def upscaler_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return the upscalers that can be used. Clients splice other lists in after the first, which is "None"."""
    return [
        {
            "name": one.name,
            "model_name": None if one.file is None else one.name,
            "model_path": None if one.file is None else str(one.file.path),
            "model_url": None,
            "scale": one.scale or _SCALE_OF_PLAIN,
        }
        for one in _usable(catalogue)
    ]


def real_esrgan_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return the models of Real-ESRGAN."""
    return [
        {"name": one.name, "path": str(one.file.path), "scale": one.scale or _SCALE_OF_PLAIN}
        for one in _usable(catalogue)
        if one.file is not None and is_real_esrgan(one.name)
    ]


def face_restorer_list(catalogue: CheckpointCatalogue) -> list[dict[str, Any]]:
    """Return what mends faces."""
    return [{"name": one.name, "cmd_dir": None} for one in catalogue.face_restorers.list() if one.problem is None]


def _usable(catalogue: CheckpointCatalogue) -> list[Upscaler]:
    return [one for one in catalogue.upscalers.list() if one.problem is None]
