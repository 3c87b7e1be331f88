"""What a guest may ask for: somebody of another machine, where no password is set. Nothing that is not named here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from modules.api.answers import Refused
from modules.api.auth.client import owner_of, owners_who_look
from modules.api.services import Services
from modules.errors import UnknownJob
from modules.jobs.kinds.registry import KINDS
from modules.jobs.visitor import refusal_of_guest, visitor_of

V1 = "/sdapi/v1/"
# Tells nothing of anyone, or the handler itself looks at who asks.
FOR_ALL = frozenset(
    {
        ("GET", "/steady/assets/{name}"),
        ("GET", "/manifest.json"),
        ("GET", "/docs"),
        ("GET", "/internal/ping"),
        ("GET", "/internal/pending-tasks"),
        ("POST", "/internal/progress"),
        ("WEBSOCKET", "/steady/live"),
        ("GET", "/sdapi/v1/models"),
        ("GET", "/sdapi/v1/models/{model_id}/preview"),
        ("GET", "/sdapi/v1/inputs/{name}"),  # whose name follows from its pixels: who can name it has seen it
        *{
            ("GET", V1 + name)
            for name in (
                "events", "jobs", "queue", "progress", "options", "memory", "sd-models", "samplers", "schedulers",
                "upscalers", "latent-upscale-modes", "sd-vae", "sd-modules", "hypernetworks", "face-restorers",
                "realesrgan-models", "prompt-styles", "prompt-library", "prompt-suggestions", "embeddings",
                "loras", "scripts", "script-info", "extensions",
            )
        },
        *{
            ("POST", V1 + name)
            for name in (
                *KINDS, "jobs", "inputs", "png-info", "interrupt", "skip", "stop-generating", "queue/interrupt-waiting",
                "refresh-checkpoints", "refresh-vae", "refresh-embeddings", "refresh-loras",
                "server-restart", "engine-restart", "restart-cancel", "server-stop",
            )
        },
        ("DELETE", V1 + "jobs"),
    }
)  # fmt: skip
# Of his own jobs; those of others are not there for him.
OF_OWN_JOBS = frozenset(
    {
        ("GET", V1 + "jobs/{job_id}"),
        ("GET", V1 + "jobs/{job_id}/images/{index}.{form}"),
        ("GET", V1 + "jobs/{job_id}/images/{index}/thumbnail"),
        ("GET", V1 + "jobs/{job_id}/images/all.zip"),
        ("GET", V1 + "jobs/{job_id}/preview"),
        ("POST", V1 + "jobs/{job_id}/images/{index}/save"),
        ("GET", V1 + "jobs/{job_id}/sheet.png"),
        ("GET", V1 + "jobs/{job_id}/sheet/{z}.png"),
        ("DELETE", V1 + "jobs/{job_id}"),
        *{
            ("POST", f"{V1}jobs/{{job_id}}/{name}")
            for name in ("interrupt", "skip", "stop", "pause", "resume", "retry", "redraw", "forever")
        },
    }
)


def guest_rule(services: Services) -> Callable[[HTTPConnection], Awaitable[None]]:
    """Return the dependency that every route has. It refuses what a guest may not ask for."""

    async def check(connection: HTTPConnection) -> None:
        """Refuse.

        Raises:
            Refused: 403, this is not for guests.
            UnknownJob: it is of a job that is not his.
        """
        visitor = visitor_of(connection.scope)
        if visitor.trusted:
            return
        method = "WEBSOCKET" if connection.scope["type"] == "websocket" else connection.scope["method"]
        asked = ("GET" if method == "HEAD" else method, getattr(connection.scope.get("route"), "path_format", ""))
        if asked in FOR_ALL:
            return
        if asked not in OF_OWN_JOBS:
            raise Refused(403, refusal_of_guest("This", visitor.address))
        job_id = connection.path_params["job_id"]
        job = await services.workers.run(services.store.jobs.get, job_id)
        owners = owners_who_look(connection) if asked[0] == "GET" else (owner_of(connection),)
        if job is None or job.owner not in owners:
            raise UnknownJob(job_id)

    return check
