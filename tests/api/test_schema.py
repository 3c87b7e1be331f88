"""Every route of /openapi.json, called with what its schema allows and with what it does not: no fault of ours."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from modules.api.server.serving import SwappableServer
from modules.api.services import Services
from tests.api.conftest import application_of, services_in, serving

CASES_A_ROUTE = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 3}
NEVER_ENDS = "/sdapi/v1/events"
# Answers that say what cannot be had here: no launcher, no file manager, no space.
HONEST_REFUSALS = (501, 503, 507)


class InThread(SwappableServer):
    """Signals are the main thread's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server(threading.Thread):
    """A server on a port of its own, and an engine that ends each job as soon as it is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.services: Services = services_in(folder)
        self.port = 0
        self.listens, self.end = threading.Event(), threading.Event()

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        async with serving(InThread(application_of(self.services), self.services)) as self.port:
            self.listens.set()
            await asyncio.to_thread(self.end_jobs)

    def end_jobs(self) -> None:
        store = self.services.store
        while not self.end.is_set():
            store.queue.resume()
            job = store.claims.claim("schema")
            if job is not None:
                store.claims.finish(job.id, "interrupted")
            time.sleep(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("schema"))
    started.start()
    assert started.listens.wait(30)
    yield started
    started.end.set()
    started.join(20)


def takes_anything(route: dict[str, Any]) -> bool:
    """Tell whether nothing that is sent to a route can be against its schema: it takes texts in its path, or bytes.

    Hypothesis would look for something wrong 459 times, at each of twenty routes.
    """
    schemas = [one["schema"] if one["in"] == "path" else {} for one in route.get("parameters", ())]
    schemas += [one["schema"] for one in route.get("requestBody", {}).get("content", {}).values()]
    return all(one.get("type") == "string" and not {"enum", "pattern", "minLength"} & one.keys() for one in schemas)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_answers_as_its_schema_says(server: Server, mode: GenerationMode) -> None:
    api = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json").exclude(path=NEVER_ENDS)
    tried: set[str] = set()
    faults: list[str] = []
    for found in api.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and takes_anything(operation.definition.raw):
            continue

        @settings(
            max_examples=CASES_A_ROUTE[mode], deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: schemathesis.Case[Any]) -> None:
            answer = case.call(timeout=30)
            tried.add(case.operation.label)
            checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
            if answer.status_code not in HONEST_REFUSALS:
                checks.append(not_a_server_error)
            case.validate_response(answer, checks=checks)

        try:
            call()
        except Unsatisfiable:  # without parameters and body nothing can be wrong with it
            assert mode is GenerationMode.NEGATIVE
        except (Exception, FailureGroup) as error:
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n".join(faults)
    assert len(tried) > (50 if mode is GenerationMode.POSITIVE else 20)


def test_allow_names_every_method_of_a_path(server: Server) -> None:
    for path, methods in (("jobs", "DELETE, GET, POST"), ("jobs/a", "DELETE, GET"), ("options", "GET, POST")):
        answer = httpx.put(f"http://127.0.0.1:{server.port}/sdapi/v1/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
