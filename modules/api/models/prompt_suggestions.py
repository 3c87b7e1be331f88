"""What a prompt may go on with: names of LoRAs, embeddings, wildcards and styles, and tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.models.library import Library
from modules.api.models.listing import Query
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.visitor import visitor_of
from modules.prompts.library import PromptLibrary

MOST = 12
_LONGEST = 100
_SHORTEST_WORD = 2


def routes(services: Services) -> APIRouter:
    """GET prompt-suggestions."""
    router = APIRouter(prefix="/sdapi/v1")
    workers, library, written = services.workers, services.library, services.catalogue.library

    @router.get("/prompt-suggestions")
    async def suggested(request: Request, text: str = "", kind: str = "word", fits: str = "") -> Response:
        """What goes on with `text`: kind "lora", "wildcard" or "word" (embeddings, styles and tags).

        With `fits`, the name of a checkpoint, networks that go with it alone. `typed` is how much of the text's end an
        `insert` takes the place of; a style has no text to insert, and is chosen by its `label`.
        """
        offered: dict[str, Callable[[], dict[str, Any]]] = {
            "lora": lambda: answer(text, loras(library, text, fits, visitor_of(request.scope).trusted)),
            "wildcard": lambda: answer(text, wildcards(written, text)),
            "word": lambda: words(library, written, text, fits),
        }
        if kind not in offered or len(text) > _LONGEST:
            message = f"kind {kind[:40]!r} with {len(text):,} characters is not possible: use {', '.join(offered)}."
            raise InvalidRequest(message, "kind")
        return json_answer(await workers.run(offered[kind]))

    return router


def answer(typed: str, found: Iterator[dict[str, str]]) -> dict[str, Any]:
    """Return suggestions that take the place of what is typed."""
    return {"typed": typed, "suggestions": [one for one, _ in zip(found, range(MOST), strict=False)]}


def loras(library: Library, text: str, fits: str, trusted: bool) -> Iterator[dict[str, str]]:
    """Yield LoRAs whose name, trigger words or family have the words of the text."""
    page = library.page(Query(kind="lora", text=text, limit=MOST, fits=_known(library, fits)), with_paths=trusted)
    for card in page["models"]:
        if card["problem"] is None:
            yield _suggestion("lora", card["call"], card["activation_text"] or card["trigger"], card["insert"])


def wildcards(written: PromptLibrary, text: str) -> Iterator[dict[str, str]]:
    """Yield wildcards with the text in their names, those that begin with it first."""
    wanted = text.casefold()
    names = [name for name in written.wildcards.now().names if wanted in name.casefold()]
    for name in sorted(names, key=lambda name: not name.casefold().startswith(wanted)):
        yield _suggestion("wildcard", name, "", f"__{name}__")


def words(library: Library, written: PromptLibrary, text: str, fits: str) -> dict[str, Any]:
    """Return what goes on with the text since the last comma, or if nothing does, with its last word."""
    last = text.rpartition(" ")[2]
    for typed in dict.fromkeys((text, last)):
        if len(typed) >= _SHORTEST_WORD:
            found = answer(typed, _of_word(library, written, typed, fits))
            if found["suggestions"]:
                return found
    return answer(last, iter(()))


def _of_word(library: Library, written: PromptLibrary, typed: str, fits: str) -> Iterator[dict[str, str]]:
    wanted = typed.casefold()
    query = Query(kind="embedding", text=typed, limit=MOST, fits=_known(library, fits))
    for card in library.page(query, with_paths=False)["models"]:
        if card["problem"] is None and card["call"].casefold().startswith(wanted):
            yield _suggestion("embedding", card["call"], card["family_label"], card["insert"])
    for style in written.styles.styles():
        if style.name.casefold().startswith(wanted):
            yield _suggestion("style", style.name, style.prompt, "")
    for tag in written.tags.starting_with(typed, MOST):
        detail = f"{tag.count:,}" if tag.count else ""
        yield _suggestion("tag", tag.text, f"{tag.alias} · {detail}".strip(" ·") if tag.alias else detail, tag.text)


def _known(library: Library, fits: str) -> str:
    """Return the name of a checkpoint that is there, else ""; one that has just gone is no reason to offer nothing."""
    return fits if library.has_checkpoint(fits) else ""


def _suggestion(kind: str, label: str, detail: str, insert: str) -> dict[str, str]:
    return {"kind": kind, "label": label, "detail": detail[:120], "insert": insert}
