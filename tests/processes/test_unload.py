"""Memory is given back on demand: the order goes from the server over the launcher to the engine."""

from tests.processes.stream import snapshot
from tests.program import Program, wait_until


def checkpoint_in_memory(program: Program) -> str | None:
    """Return the model that the engine says it has."""
    named: str | None = (snapshot(program)["engine"] or {}).get("checkpoint")
    return named


def test_a_client_unloads_the_model_that_a_job_left_in_memory(shared_program: Program) -> None:
    job = shared_program.submit(prompt="red heart", steps=1, seed=7)
    assert shared_program.wait_for(job)["status"] == "done"
    wait_until(lambda: checkpoint_in_memory(shared_program), 30, "the engine has a model")
    assert shared_program.post("/sdapi/v1/unload-checkpoint") == {}
    wait_until(lambda: checkpoint_in_memory(shared_program) is None, 30, "the engine has no model")
    assert shared_program.post("/sdapi/v1/reload-checkpoint") == {}
