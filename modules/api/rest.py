"""The REST application: all routes but the page's."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api.answers import install_error_answers
from modules.api.auth.guests import guest_rule
from modules.api.auth.quick_routes import QuickRoute
from modules.api.jobs import actions, deletion, folder, inputs, keeping, queue, redrawing, sheets, zip_file
from modules.api.jobs import routes as job_routes
from modules.api.live import routes as live_routes
from modules.api.models import download_routes, prompt_suggestions, trash_routes
from modules.api.models import routes as model_routes
from modules.api.openapi import REFUSALS
from modules.api.page import assets, docs_page
from modules.api.page.assets import Assets
from modules.api.sdapi import (
    control,
    extras,
    generation,
    images,
    lists,
    model_lists,
    network_lists,
    options,
    progress,
    prompt_library,
    upscaler_lists,
)
from modules.api.services import Services
from modules.jobs.kinds.registry import KINDS
from modules.jobs.version import VERSION

SMALLEST_COMPRESSED = 1000


def build_rest(services: Services, page_assets: Assets) -> FastAPI:
    """Return the application. It has an own /docs: the usual pages load their scripts from the internet.

    `state.quick_routes` of it is what `QuickRoutes` in front of it calls by itself.
    """
    rule = [Depends(guest_rule(services))]
    app = FastAPI(
        title="Steady Diffusion",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        responses=REFUSALS,
        dependencies=rule,
    )
    install_error_answers(app)
    app.state.quick_routes = []
    app.include_router(assets.routes(page_assets))  # first: of these a new browser asks for 140 at once
    for part in (
        progress,
        control,
        generation,
        extras,
        images,
        options,
        lists,
        model_lists,
        network_lists,
        upscaler_lists,
        prompt_library,
        prompt_suggestions,
        job_routes,
        actions,
        deletion,
        folder,
        redrawing,
        sheets,
        zip_file,
        keeping,
        inputs,
        queue,
        model_routes,
        trash_routes,
        download_routes,
        live_routes,
    ):
        router = part.routes(services)
        app.state.quick_routes += [route for route in router.routes if isinstance(route, QuickRoute)]
        app.include_router(router)
    app.include_router(docs_page.routes(app))
    app.add_middleware(Compressed)
    return app


class Compressed:
    """ASGI middleware: compresses long lists and scripts, never streams, nor pictures, which get no smaller by it."""

    INCOMPRESSIBLE = ("/internal/", *(f"/sdapi/v1/{name}" for name in ("events", "progress", "extra-", *KINDS)))
    PICTURES = ("/images/", "/preview", "/inputs/")

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, minimum_size=SMALLEST_COMPRESSED, compresslevel=4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_picture = any(one in path for one in self.PICTURES)
        if scope["type"] == "http" and not path.startswith(self.INCOMPRESSIBLE) and not is_picture:
            await self.compressed(scope, receive, send)
        else:
            await self.app(scope, receive, send)
