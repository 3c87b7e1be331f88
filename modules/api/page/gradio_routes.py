"""Which of Gradio's routes there are: those that this page uses.

Gradio brings some seventy. Among them are one that writes files of any size outside the data folder, one that looks
around twenty times a second for each connection, and some that read files or fetch addresses: the page needs none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api.answers import error_answer
from modules.api.page.plain_values import PageValues

READ = re.compile(r"/|/config|/theme\.css|/favicon\.ico|/gradio_api/app_id|/(assets|static)/.+")
WRITE = re.compile(r"/gradio_api/run/predict")


class PageRoutes:
    """ASGI middleware in front of Gradio's application: what the page does not need is not there."""

    def __init__(self, app: ASGIApp, listeners: Mapping[int, int] | None = None) -> None:
        self.app = app
        self.values = PageValues(app, listeners)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_open(scope):
            calls = scope["type"] == "http" and scope["method"] == "POST"
            await (self.values if calls else self.app)(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no such route"})
            return
        answer = error_answer(404, "Not Found", f"There is no {scope['path']}: /docs lists what there is.")
        await answer(scope, receive, send)


def is_open(scope: Scope) -> bool:
    """Tell whether the page uses this route."""
    if scope["type"] != "http":
        return False
    method, path = scope["method"], scope["path"]
    routes = READ if method in ("GET", "HEAD") else WRITE if method == "POST" else None
    return routes is not None and routes.fullmatch(path) is not None
