"""What a picture's file says about how it was made."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer, read_object
from modules.api.openapi import TEXT, body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.images.a1111_parameters import parameters_of
from modules.images.models_here import name_here
from modules.images.named_models import models_in
from modules.images.picture_info import read_parameters
from modules.jobs.models.catalogue import CheckpointCatalogue

SHORTEST_SHOWN = 40


def routes(services: Services) -> APIRouter:
    """POST png-info."""
    router = APIRouter(prefix="/sdapi/v1")

    @router.post("/png-info", openapi_extra=body({"image": TEXT}, required=["image"]))
    async def png_info(request: Request) -> Response:
        """What a picture says about how it was made, whatever program made it. `image` is its file as base64."""
        sent = await read_object(request)
        found = await services.workers.run_picture(_read, sent.get("image"), services.catalogue)
        return json_answer(found)

    return router


def decode_image(value: object, field: str = "image") -> bytes:
    """Return the bytes of a picture sent as base64, with or without a `data:` prefix.

    Raises:
        InvalidRequest: it is something else, such as a URL: this program fetches nothing.
    """
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{field} is missing: send the picture's file as base64.", field)
    if value.startswith(("http://", "https://")):
        raise InvalidRequest(
            f"{value[:SHORTEST_SHOWN]!r} is a URL, and none is fetched: send the file as base64.", field
        )
    encoded = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError as error:  # also for text that is no ASCII
        raise InvalidRequest(f"{field} is no base64 ({error}): send the picture's file as base64.", field) from error


def _read(image: object, catalogue: CheckpointCatalogue) -> dict[str, object]:
    """Return A1111's three values, and what the page shows of the picture beside them.

    `parameters` has A1111's keys and the fields of a request, which are no two alike.
    """
    found = read_parameters(decode_image(image))
    named = models_in(found.pairs)
    return {
        "info": found.info,
        "items": found.items,
        "parameters": parameters_of(found.pairs) | found.parameters,
        "program": found.program,
        "settings": found.settings,
        "rows": [list(row) for row in found.rows],
        "left": [list(one) for one in found.left],
        "models": [one._asdict() | {"here": name_here(one, catalogue)} for one in named],
    }
