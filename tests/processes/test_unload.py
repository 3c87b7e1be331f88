"""Memory is given back on demand: the order goes from the server over the launcher to the engine."""

import json
import urllib.request
from typing import Any

from tests.program import Program, wait_until


def checkpoint_in_memory(program: Program) -> str | None:
    """Return the model that the engine says it has, from the first message of the live stream."""
    with urllib.request.urlopen(f"{program.url}/sdapi/v1/events", timeout=30) as stream:
        for line in stream:
            if line.startswith(b"data:"):
                snapshot: dict[str, Any] = json.loads(line[5:])
                named: str | None = (snapshot["engine"] or {}).get("checkpoint")
                return named
    raise AssertionError("the stream ended without a snapshot")


def test_a_client_unloads_the_model_that_a_job_left_in_memory(shared_program: Program) -> None:
    job = shared_program.submit(prompt="red heart", steps=1, seed=7)
    assert shared_program.wait_for(job)["status"] == "done"
    wait_until(lambda: checkpoint_in_memory(shared_program), 30, "the engine has a model")
    assert shared_program.post("/sdapi/v1/unload-checkpoint") == {}
    wait_until(lambda: checkpoint_in_memory(shared_program) is None, 30, "the engine has no model")
    assert shared_program.post("/sdapi/v1/reload-checkpoint") == {}
