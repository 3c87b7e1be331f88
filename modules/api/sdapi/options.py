"""The settings as A1111's clients read and write them: they send the whole object back with one value changed."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object, retry_later
from modules.api.auth.client import actor_of
from modules.api.openapi import settings_body
from modules.api.services import Services
from modules.errors import InvalidRequest, SteadyError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options

logger = logging.getLogger(__name__)


def routes(services: Services) -> APIRouter:
    """GET and POST options."""
    router = APIRouter(prefix="/sdapi/v1")
    options, catalogue, store = services.options, services.catalogue, services.store

    @router.get("/options")
    async def get_options() -> Response:
        """All settings."""
        return json_answer(await services.workers.run(options_answer, options, catalogue))

    @router.post("/options", openapi_extra=settings_body())
    async def set_options(request: Request) -> Response:
        """Change settings, all or none. Unknown keys are ignored."""
        changes = await read_object(request)
        if services.shutdown.leaving.is_set():
            raise retry_later("The server is being replaced and writes no settings any more: send them again.")
        await services.workers.run(change_options, options, catalogue, store, changes, actor_of(request))
        return json_answer(None)

    return router


def options_answer(options: Options, catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return all settings; the checkpoint by its title, as in sd-models."""
    options.refresh()
    answer = dataclasses.asdict(options.values)
    try:
        checkpoint = catalogue.find(options.values.sd_model_checkpoint)
    except SteadyError:
        answer["sd_checkpoint_hash"] = None
    else:
        answer["sd_model_checkpoint"] = checkpoint.title
        answer["sd_checkpoint_hash"] = checkpoint.sha256
    answer["samples_format"] = "png"
    return answer


def change_options(
    options: Options, catalogue: CheckpointCatalogue, store: JobStore, changes: dict[str, Any], by: Actor
) -> tuple[str, ...]:
    """Change all or nothing, tell it to everyone, and return the names that changed.

    Raises:
        InvalidRequest: a value is not possible.
        StorageError: the settings cannot be written.
    """
    changes = dict(changes)
    if "sd_model_checkpoint" in changes:
        changes["sd_model_checkpoint"] = _checkpoint_name(options, catalogue, changes["sd_model_checkpoint"])
    if "sd_vae" in changes:
        changes["sd_vae"] = _vae_name(options, catalogue, changes["sd_vae"])
    changed = options.update(changes)
    if changed:
        logger.info("Settings changed: %s", ", ".join(changed))
        store.audit.note_settings(changed, by=by)
    return changed


def _checkpoint_name(options: Options, catalogue: CheckpointCatalogue, value: object) -> str:
    """A name that is set already is never refused: a client that echoes it must not fail because its folder is gone."""
    if not isinstance(value, str):
        raise InvalidRequest(
            f"sd_model_checkpoint {value!r} is no text: send a title of sd-models.", "sd_model_checkpoint"
        )
    if value == options.values.sd_model_checkpoint:
        return value
    return catalogue.find(value).name


def _vae_name(options: Options, catalogue: CheckpointCatalogue, value: object) -> object:
    """The name as it is listed, of a VAE that clients may call otherwise; what is set already is never refused."""
    if not isinstance(value, str) or value in (options.values.sd_vae, AUTOMATIC, NONE):
        return value
    return catalogue.vaes.find(value).name
