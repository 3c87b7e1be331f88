"""Styles: A1111's list, and what its page does with them; and all that a page has to offer while people write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import Refused, json_answer, read_object
from modules.api.auth.client import actor_of
from modules.api.openapi import TEXT, body
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.lenient import show
from modules.jobs.visitor import visitor_of
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.csv_file import BrokenStyles
from modules.prompts.styles.style import Style

_STYLE = body({"name": TEXT, "prompt": TEXT, "negative_prompt": TEXT, "replaces": TEXT}, ["name"])


def routes(services: Services) -> APIRouter:
    """GET, POST and DELETE prompt-styles, and GET prompt-library."""
    router = APIRouter(prefix="/sdapi/v1")
    library, workers, audit = services.catalogue.library, services.workers, services.store.audit

    @router.get("/prompt-styles")
    async def listed() -> Response:
        """The styles, by A1111's names."""
        return json_answer(await workers.run(style_list, library))

    @router.post("/prompt-styles", openapi_extra=_STYLE)
    async def save(request: Request) -> Response:
        """Write a style into its file, a new one into the first; `replaces` is the name that it had before."""
        sent = await read_object(request)
        texts = {name: _text(sent, name) for name in ("name", "prompt", "negative_prompt")}
        await workers.run(change, library, Style(**texts), _text(sent, "replaces"))
        await workers.run(audit.note, "style-save", actor_of(request), {"style": texts["name"]})
        return json_answer({})

    @router.delete("/prompt-styles")
    async def delete(request: Request, name: str) -> Response:
        """Take a style out of its file; what the file was before is beside it, as NAME.csv.bak."""
        await workers.run(remove, library, name)
        await workers.run(audit.note, "style-delete", actor_of(request), {"style": name})
        return json_answer({})

    @router.get("/prompt-library")
    async def offered(request: Request) -> Response:
        """What people have written down: `styles` with their files, names of `wildcards`, and `problems` of both."""
        return json_answer(await workers.run(library_answer, library, visitor_of(request.scope).trusted))

    return router


def style_list(library: PromptLibrary) -> list[dict[str, str]]:
    """Return the styles as A1111 lists them."""
    return [
        {"name": one.name, "prompt": one.prompt, "negative_prompt": one.negative_prompt}
        for one in library.styles.styles()
    ]


def library_answer(library: PromptLibrary, with_paths: bool) -> dict[str, Any]:
    """Return all that can be called by name; who is trusted is told where it lies, and what is wrong there."""
    styles = [
        {
            "name": style.name,
            "prompt": style.prompt,
            "negative_prompt": style.negative_prompt,
            "file": str(path) if with_paths else path.name,
        }
        for style, path in library.styles.all()
    ]
    known = library.wildcards.now()
    problems = [*library.styles.problems(), *known.problems] if with_paths else []
    return {"styles": styles, "wildcards": list(known.names), "problems": problems}


def change(library: PromptLibrary, style: Style, replaces: str) -> None:
    """Save a style.

    Raises:
        InvalidRequest, StorageError: as `StyleFiles.save`.
        Refused: 409, its file is broken.
    """
    try:
        library.styles.save(style, replaces)
    except BrokenStyles as error:
        raise Refused(409, str(error)) from error


def remove(library: PromptLibrary, name: str) -> None:
    """Delete a style.

    Raises:
        InvalidRequest, StorageError, Refused: as `change`.
    """
    try:
        library.styles.delete(name)
    except BrokenStyles as error:
        raise Refused(409, str(error)) from error


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} {show(value)} is not a text: send a string.", name)
    return value
