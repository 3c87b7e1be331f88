"""GET /docs: the routes as a page that loads nothing, made from /openapi.json."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 1.6rem 0 0; font: 600 1rem ui-monospace, monospace; overflow-wrap: anywhere; }
h2 b { display: inline-block; min-width: 4.5rem; color: #0f7b66; }
p { margin: .2rem 0; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
code { font-family: ui-monospace, monospace; }
"""


def routes(app: FastAPI) -> APIRouter:
    """GET /docs."""
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()))

    return router


def page(schema: dict[str, Any]) -> str:
    """Return the whole page."""
    title = f"{escape(schema['info']['title'])} {escape(schema['info']['version'])}: REST API"
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'{head}<h1>{title}</h1><p>The same as a schema: <a href="/openapi.json">openapi.json</a></p>' + "".join(
        _route(method.upper(), path, operation)
        for path, operations in sorted(schema["paths"].items())
        for method, operation in operations.items()
    )


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    heading = f"<h2><b>{method}</b> {escape(path)}</h2><p>{escape(operation.get('description', ''))}</p>"
    rows = "".join(_rows(operation))
    return heading + (f"<table><tr><th>value<th>default<th></tr>{rows}</table>" if rows else "")


def _rows(operation: dict[str, Any]) -> Iterator[str]:
    """Yield a row for each parameter of the address, then one for each field of the body."""
    for parameter in operation.get("parameters", ()):
        yield _row(parameter["name"], parameter.get("schema", {}), f"in the {parameter['in']}")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, field in body.get("properties", {}).items():
        yield _row(name, field, field.get("description", ""))


def _row(name: str, field: dict[str, Any], note: str) -> str:
    default = "" if field.get("default") is None else escape(str(field["default"]))
    return f"<tr><td><code>{escape(name)}</code><td>{default}<td>{escape(note)}</tr>"
