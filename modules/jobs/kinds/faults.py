"""What pydantic finds wrong with a request, in the form in which clients are told."""

from __future__ import annotations

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.jobs.lenient import fault


def first_fault(error: ValidationError) -> InvalidRequest:
    """Return the first fault that pydantic found."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    field = context.get("field") or ".".join(str(part) for part in first["loc"]) or None
    return InvalidRequest(context.get("message") or f"{field}: {first['msg']}.", field=field)


def fault_at(error: InvalidRequest) -> Exception:
    """Carry the field through pydantic, which knows no field in a validator of the whole model."""
    made = fault(str(error))
    assert made.context is not None
    made.context["field"] = error.field
    return made
