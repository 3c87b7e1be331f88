"""What a client asks for: the fields of A1111's `POST /sdapi/v1/txt2img`, checked.

It may leave things open (None = the model's or the settings' own); `resolve.py` closes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from modules.errors import InvalidRequest
from modules.jobs.kinds.lenient import fault, is_blank, pixels, real_number, show, switch, text, whole_number
from modules.jobs.kinds.unavailable import check_available
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import CFG_SCALE_HIGHEST, STEPS_HIGHEST
from modules.jobs.samplers import check_pair, find_sampler, find_schedule, split_sampler
from modules.options import Settings, fields_of_settings

SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE = 64, 2048, 8
BATCH_SIZE_HIGHEST = 16
BATCH_COUNT_HIGHEST = 1000
PROMPT_LONGEST = 10_000
TASK_ID_LONGEST = 100
SEED_HIGHEST = 2**63 - 1

PartialImages = Literal["discard", "keep", "mark"]

# Settings that a request may override for itself; all others of override_settings are A1111's, change nothing here and
# are not kept.
OVERRIDABLE_SETTINGS = frozenset(
    {
        "sd_model_checkpoint",
        "samples_save",
        "save_incomplete_images",
        "mark_incomplete_images",
        "add_model_name_to_info",
        "add_model_hash_to_info",
        "add_version_to_infotext",
    }
)


def _check_sampler(value: Any) -> str | None:
    """Keep an old name such as "DPM++ 2M Karras" whole; `_settle_sampler` splits it."""
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise fault(f"Sampler {show(value)} is not a name: send a string.")
    sampler, _ = split_sampler(value)
    try:
        find_sampler(sampler)
    except InvalidRequest as error:
        raise fault(str(error)) from error
    return value


def _check_scheduler(value: Any) -> str | None:
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise fault(f"Schedule type {show(value)} is not a name: send a string.")
    try:
        return find_schedule(value).label
    except InvalidRequest as error:
        raise fault(str(error)) from error


def _check_partial_images(value: Any) -> str | None:
    if is_blank(value):
        return None
    if value not in get_args(PartialImages):
        raise fault(f"partial_images {show(value)} is not possible: use {', '.join(get_args(PartialImages))}.")
    return str(value)


def _check_task_id(value: Any) -> str | None:
    return None if is_blank(value) else text("force_task_id", TASK_ID_LONGEST)(value)


def _check_overrides(value: Any) -> dict[str, Any]:
    if is_blank(value):
        return {}
    if not isinstance(value, dict):
        raise fault(f"override_settings {show(value)} is not an object: send {{}} or leave it out.")
    known = {field.name: field for field in fields_of_settings()}
    checked: dict[str, Any] = {}
    for name in sorted(OVERRIDABLE_SETTINGS & value.keys()):
        if is_blank(value[name]):
            continue
        try:
            checked[name] = known[name].check(value[name])
        except InvalidRequest as error:
            raise fault(str(error)) from error
    return checked


_Prompt = Annotated[str, BeforeValidator(text("Prompt", PROMPT_LONGEST))]
_NegativePrompt = Annotated[str, BeforeValidator(text("Negative prompt", PROMPT_LONGEST))]
_Seed = Annotated[int, BeforeValidator(whole_number("Seed", -1, SEED_HIGHEST, -1, " (-1 draws one)"))]
_Steps = Annotated[int | None, BeforeValidator(whole_number("Steps", 1, STEPS_HIGHEST, None))]
_CfgScale = Annotated[
    float | None, BeforeValidator(real_number("CFG scale", 0, CFG_SCALE_HIGHEST, None, " (1 is off)"))
]
_Width = Annotated[int | None, BeforeValidator(pixels("Width", SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE))]
_Height = Annotated[int | None, BeforeValidator(pixels("Height", SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE))]
_BatchSize = Annotated[int, BeforeValidator(whole_number("Batch size", 1, BATCH_SIZE_HIGHEST, 1))]
_BatchCount = Annotated[int, BeforeValidator(whole_number("Batch count", 1, BATCH_COUNT_HIGHEST, 1))]


class Txt2ImgRequest(BaseModel):
    """A picture, or several, from words. None means the model's own default, for the size its native one.

    Keys that are not known are ignored, as A1111 does.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=False)

    prompt: _Prompt = ""
    negative_prompt: _NegativePrompt = ""
    seed: _Seed = -1
    sampler_name: Annotated[str | None, BeforeValidator(_check_sampler)] = None
    scheduler: Annotated[str | None, BeforeValidator(_check_scheduler)] = None
    sampler_index: Annotated[str | None, BeforeValidator(_check_sampler)] = Field(
        None, description="An older name of sampler_name, used when that is left out."
    )
    steps: _Steps = None
    cfg_scale: _CfgScale = None
    width: _Width = None
    height: _Height = None
    batch_size: _BatchSize = 1
    n_iter: _BatchCount = 1
    override_settings: Annotated[dict[str, Any], BeforeValidator(_check_overrides)] = Field(
        default_factory=dict, description="Settings for this job alone, such as sd_model_checkpoint."
    )
    save_images: Annotated[bool | None, BeforeValidator(switch("save_images", None))] = Field(
        None, description="None follows the setting samples_save."
    )
    do_not_save_samples: Annotated[bool, BeforeValidator(switch("do_not_save_samples", False))] = False
    partial_images: Annotated[PartialImages | None, BeforeValidator(_check_partial_images)] = Field(
        None, description="What becomes of a picture that is stopped: discard, keep or mark; None follows the settings."
    )
    send_images: Annotated[bool, BeforeValidator(switch("send_images", True))] = True
    stop_on_disconnect: Annotated[bool, BeforeValidator(switch("stop_on_disconnect", False))] = Field(
        False, description="Interrupt the job when the client that waits for it goes away."
    )
    force_task_id: Annotated[str | None, BeforeValidator(_check_task_id)] = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_unavailable(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            try:
                check_available(data)
            except InvalidRequest as error:
                raise _fault_at(error) from error
        return data

    @model_validator(mode="after")
    def _settle_sampler(self) -> Self:
        """Split the sampler's name. A schedule type that was sent wins over the one in the name, as with A1111."""
        name = self.sampler_name or self.sampler_index
        if name is None:
            return self
        sampler_name, from_name = split_sampler(name)
        sampler = find_sampler(sampler_name)
        schedule = find_schedule(self.scheduler or from_name or "Automatic")
        try:
            check_pair(sampler, schedule)
        except InvalidRequest as error:
            raise _fault_at(error) from error
        # A frozen model is complete only once its validators have run.
        object.__setattr__(self, "sampler_name", sampler.name)
        object.__setattr__(self, "scheduler", schedule.label)
        object.__setattr__(self, "sampler_index", None)
        return self

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self.batch_size * self.n_iter

    def settings_for(self, settings: Settings) -> Settings:
        """Return the settings with those that this request overrides."""
        return replace(settings, **self.override_settings) if self.override_settings else settings


def _fault_at(error: InvalidRequest) -> Exception:
    """Carry the field through pydantic, which knows no field in a validator of the whole model."""
    made = fault(str(error))
    assert made.context is not None
    made.context["field"] = error.field
    return made


def choose_sampler(request: Txt2ImgRequest, checkpoint: Checkpoint) -> tuple[str, str]:
    """Return sampler and schedule type; what the request leaves open is the model's own.

    Raises:
        InvalidRequest: the schedule type that was sent does not go with the model's own sampler.
    """
    if request.sampler_name is not None:
        return request.sampler_name, request.scheduler or "Automatic"
    sampler = find_sampler(checkpoint.defaults.sampler_name)
    schedule = find_schedule(request.scheduler or checkpoint.defaults.scheduler)
    check_pair(sampler, schedule)
    return sampler.name, schedule.label
