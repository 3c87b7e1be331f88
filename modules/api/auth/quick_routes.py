"""Routes that are asked several times a second are found and called before FastAPI is.

It tries one route after the other, and works out a handler's arguments and dependencies anew for each request: that
takes longer than these handlers do. What they have in common with all others is done here: the rule for guests, and
errors in the one form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.types import Receive, Scope, Send


class QuickRoute(APIRoute):
    """A route without parameters in its path, whose handler is given the request and reads what it needs of it."""


class QuickRoutes:
    """ASGI middleware in front of the REST application: calls its `state.quick_routes` itself.

    `rule` raises what guests are refused with. FastAPI has these routes too: it documents them, and says which methods
    a path has.
    """

    def __init__(self, app: FastAPI, rule: Callable[[HTTPConnection], Awaitable[None]]) -> None:
        self.app, self._rule = app, rule
        quick: Iterable[QuickRoute] = app.state.quick_routes
        self._routes = {(method, route.path): route for route in quick for method in route.methods or ()}
        answers = dict(app.exception_handlers)
        unexpected = answers.pop(Exception, None)
        self._quickly = ServerErrorMiddleware(ExceptionMiddleware(self._call, answers), unexpected)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get((scope.get("method", ""), scope.get("path", "")))
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["app"], scope["route"] = self.app, route
        await self._quickly(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        await self._rule(request)
        answer = await scope["route"].endpoint(request)
        await answer(scope, receive, send)
