"""Routes that are asked several times a second: their handlers are given the request, and read what they need of it.

FastAPI works out a handler's arguments and dependencies anew for each request: that takes as long as these handlers do.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from modules.api.auth.guests import guest_rule
from modules.api.services import Services


def quick_route(services: Services) -> type[APIRoute]:
    """Return the class of such routes. What guests may not ask for they refuse as all others do."""
    check = guest_rule(services)

    class QuickRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            async def handle(request: Request) -> Response:
                await check(request)
                answer: Response = await self.endpoint(request)
                return answer

            return handle

    return QuickRoute
