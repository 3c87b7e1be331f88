"""Grids for tests: sent as clients send them, drawn by an engine in this process."""

from typing import Any

from modules.jobs import submission
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import read_resolved
from modules.jobs.rows import Actor, Job
from tests.engine.conftest import Engine

SMALL: dict[str, Any] = {"prompt": "a heart", "seed": 7, "width": 64, "height": 64, "steps": 4, "sampler_name": "Euler"}


def submit_plot(engine: Engine, fields: dict[str, Any] | None = None, **arguments: Any) -> str:
    """Queue an X/Y/Z plot with these arguments of the script; return its id."""
    request = SMALL | (fields or {}) | {"of": "txt2img", "script": "X/Y/Z plot", "script_args": arguments}
    checked = submission.check_request("grid", request, engine.parts.catalogue, engine.options.values)
    wishes, by = submission.Wishes("tester"), Actor("tester", "127.0.0.1")
    return submission.submit(engine.store, checked, wishes, by).id


def draw_plot(engine: Engine, fields: dict[str, Any] | None = None, **arguments: Any) -> Job:
    submit_plot(engine, fields, **arguments)
    return engine.run_next()


def grid_of(job: Job) -> ResolvedGrid:
    assert job.resolved is not None
    resolved = read_resolved(job.kind, job.resolved)
    assert isinstance(resolved, ResolvedGrid)
    return resolved


def indices(engine: Engine, job: Job) -> list[int]:
    """Return which pictures of a job are there."""
    return [image.index for image in engine.store.jobs.images(job.id)]
