"""What there is to choose from. What this program has none of yet is an empty list, which clients understand."""

from __future__ import annotations

import dataclasses
from typing import Any

import psutil
from fastapi import APIRouter
from starlette.responses import Response

from modules.api.answers import json_answer
from modules.api.sdapi.script_lists import script_infos, script_list
from modules.api.services import Services
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from modules.link.topics import STATUS

EMPTY: dict[str, Any] = {"hypernetworks": [], "extensions": []}


def routes(services: Services) -> APIRouter:
    """GET samplers, schedulers, scripts, memory, cmd-flags and the empty lists."""
    router = APIRouter(prefix="/sdapi/v1")

    for name, content in {
        **EMPTY,
        "scripts": script_list(),
        "script-info": script_infos(),
        "samplers": sampler_list(),
        "schedulers": schedule_list(),
    }.items():
        _add_constant(router, name, content)

    @router.get("/cmd-flags")
    async def cmd_flags() -> Response:
        """The command line."""
        return json_answer(dataclasses.asdict(services.arguments))

    @router.get("/memory")
    async def memory() -> Response:
        """Memory of the machine, the engine and this server."""
        return json_answer(memory_answer(services.broadcaster.topic(STATUS)))

    return router


def _add_constant(router: APIRouter, name: str, content: Any) -> None:
    async def constant() -> Response:
        return json_answer(content)

    router.add_api_route(f"/{name}", constant, methods=["GET"], name=name)


def sampler_list() -> list[dict[str, Any]]:
    """Return the samplers under A1111's names."""
    return [
        {
            "name": sampler.name,
            "aliases": list(sampler.aliases),
            "options": dict(sampler.options),
        }
        for sampler in SAMPLERS
    ]


def schedule_list() -> list[dict[str, Any]]:
    """Return the schedule types under A1111's names."""
    return [
        {
            "name": schedule.name,
            "label": schedule.label,
            "aliases": list(schedule.aliases),
            "default_rho": schedule.default_rho,
            "need_inner_model": schedule.need_inner_model,
        }
        for schedule in SCHEDULES
    ]


def memory_answer(engine: dict[str, Any] | None) -> dict[str, Any]:
    """Return the machine's memory, and what the engine says of its own."""
    ram = psutil.virtual_memory()
    return {
        "ram": {"free": ram.available, "used": ram.used, "total": ram.total},
        "cuda": {"error": "unavailable"},
        "engine": engine,
        "server": {"used": psutil.Process().memory_info().rss},
    }
