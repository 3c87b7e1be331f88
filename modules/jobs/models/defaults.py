"""What a model draws with when a request leaves it open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from modules.errors import InvalidRequest
from modules.jobs.lenient import fault, real_number, whole_number
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.samplers import check_pair, find_sampler, find_schedule

STEPS_HIGHEST = 150
CFG_SCALE_HIGHEST = 30.0


class ModelDefaults(BaseModel):
    """What a model draws with when a request leaves it open; `defaults.json` in its folder may say it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: Annotated[int, BeforeValidator(whole_number("steps", 1, STEPS_HIGHEST, 20))] = 20
    cfg_scale: Annotated[float, BeforeValidator(real_number("cfg_scale", 0, CFG_SCALE_HIGHEST, 7.0))] = 7.0
    sampler_name: str = "Euler"
    scheduler: str = "Automatic"

    @model_validator(mode="after")
    def _check_sampling(self) -> Self:
        try:
            check_pair(find_sampler(self.sampler_name), find_schedule(self.scheduler))
        except InvalidRequest as error:
            raise fault(str(error)) from error
        return self


PLAIN = ModelDefaults()


def read_defaults(folder: Path, base: ModelDefaults = PLAIN) -> tuple[ModelDefaults, str | None]:
    """Return what `defaults.json` in a model's folder says, and what is wrong with it; None: nothing is.

    What it leaves open is as in `base`.
    """
    return _read(folder / "defaults.json", base)


def read_defaults_beside(file: Path, base: ModelDefaults = PLAIN) -> tuple[ModelDefaults, str | None]:
    """Return what `NAME.defaults.json` beside a model's single file says, as `read_defaults`."""
    return _read(file.with_suffix(".defaults.json"), base)


def _read(path: Path, base: ModelDefaults) -> tuple[ModelDefaults, str | None]:
    place = f"{path.name} in {path.parent}"
    try:
        return ModelDefaults.model_validate({**base.model_dump(), **read_object(path)}), None
    except FileNotFoundError:
        return base, None
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except ValidationError as error:
        reason = f"is not possible. {_first_fault(error)} Repair it"
        return base, f"{place} {reason}, or take it away."
    except ValueError as error:
        reason = str(error)
    return base, f"{place} {reason}: repair it, or take it away."


def _first_fault(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    message = first.get("ctx", {}).get("message")
    return str(message) if message else f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."
