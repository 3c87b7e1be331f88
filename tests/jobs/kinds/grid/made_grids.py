"""Requests of grids for tests."""

from typing import Any

from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.registry import validate_request


def plot(of: str = "txt2img", fields: dict[str, Any] | None = None, **arguments: Any) -> GridRequest:
    """Return an X/Y/Z plot with these arguments, of 20 steps with the seed 100."""
    base: dict[str, Any] = {"prompt": "red cat with a hat", "steps": 20, "seed": 100}
    return grid("X/Y/Z plot", base | (fields or {}), {"x_type": "Nothing"} | arguments, of)


def grid(script: str, fields: dict[str, Any], arguments: Any, of: str = "txt2img") -> GridRequest:
    """Return a grid that a script makes of a request."""
    request = validate_request("grid", fields | {"of": of, "script": script, "script_args": arguments})
    assert isinstance(request, GridRequest)
    return request


def values_in(request: GridRequest, *fields: str) -> list[Any]:
    """Return fields of all cells' requests, in the order of their places; a value alone where it is one field."""
    found = [tuple(getattr(cell.request, field) for field in fields) for cell in request.cells()]
    return [values[0] if len(values) == 1 else values for values in found]
