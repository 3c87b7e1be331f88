"""The fields that requests of several kinds have, with their bounds and the words for what is outside of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

from modules.errors import InvalidRequest
from modules.jobs.kinds.choice import MODULES
from modules.jobs.lenient import fault, is_blank, pixels, real_number, show, switch, text, whole_number
from modules.jobs.models.defaults import CFG_SCALE_HIGHEST, STEPS_HIGHEST
from modules.jobs.rows import SEED_HIGHEST
from modules.jobs.samplers import find_sampler, find_schedule, split_sampler
from modules.options import fields_of_settings
from modules.setting_field import LONGEST_TEXT

SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE = 64, 2048, 8
BATCH_SIZE_HIGHEST = 16
BATCH_COUNT_HIGHEST = 1000
PROMPT_LONGEST = 10_000
TASK_ID_LONGEST = 100
MODULES_MOST = 8
STYLES_MOST = 100

# Settings that a request may override for itself; all others of override_settings are A1111's, change nothing here and
# are not kept.
OVERRIDABLE_SETTINGS = frozenset(
    {
        "sd_model_checkpoint",
        "sd_vae",
        "CLIP_stop_at_last_layers",
        "emphasis",
        "enable_prompt_comments",
        "comma_padding_backtrack",
        "use_old_scheduling",
        "samples_save",
        "samples_format",
        "jpeg_quality",
        "webp_lossless",
        "enable_pnginfo",
        "save_txt",
        "grid_save",
        "return_grid",
        "grid_format",
        "n_rows",
        "save_incomplete_images",
        "mark_incomplete_images",
        "add_model_name_to_info",
        "add_model_hash_to_info",
        "add_version_to_infotext",
        "img2img_fix_steps",
        "img2img_background_color",
        "img2img_color_correction",
        "initial_noise_multiplier",
        "img2img_extra_noise",
        "inpainting_mask_weight",
        "hires_fix_refiner_pass",
        "ESRGAN_tile",
        "dynamic_prompts",
        "ESRGAN_tile_overlap",
        "networks_missing",
        "lora_add_hashes_to_infotext",
        "textual_inversion_add_hashes_to_infotext",
        "eta_ancestral",
        "eta_ddim",
        "s_churn",
        "s_tmin",
        "s_tmax",
        "s_noise",
        "eta_noise_seed_delta",
    }
)


def check_sampler(value: Any) -> str | None:
    """Return the name of a sampler. An old name such as "DPM++ 2M Karras" stays whole; the request splits it."""
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


def check_scheduler(value: Any) -> str | None:
    """Return the label of a schedule type."""
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
    if value not in get_args(_PartialImages):
        raise fault(f"partial_images {show(value)} is not possible: use {', '.join(get_args(_PartialImages))}.")
    return str(value)


def _check_refiner(value: Any) -> str | None:
    name = text("Refiner", LONGEST_TEXT)(value).strip()
    return None if name in ("", "None") else name


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
            checked[name] = known[name].check(_as_sent(name, value[name]))
        except InvalidRequest as error:
            raise fault(str(error)) from error
    if modules := _check_modules(value.get(MODULES)):
        checked[MODULES] = modules
    return checked


def _check_styles(value: Any) -> tuple[str, ...]:
    if is_blank(value):
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise fault(f"styles {show(value)} is no list of names: send [] or leave it out.")
    if len(names) > STYLES_MOST:
        raise fault(f"styles has {len(names):,} names: send at most {STYLES_MOST}.")
    return tuple(text("A name in styles", LONGEST_TEXT)(name) for name in names)


def _check_modules(value: Any) -> list[str]:
    """Return names of text encoders and of a VAE; none of them is what the program chooses itself."""
    if is_blank(value):
        return []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list):
        raise fault(f"{MODULES} {show(value)} is no list of names: send [] or leave it out.")
    if len(names) > MODULES_MOST:
        raise fault(f"{MODULES} has {len(names):,} names: send at most {MODULES_MOST}.")
    checked = (text(f"A name in {MODULES}", LONGEST_TEXT)(name).strip() for name in names)
    return list(dict.fromkeys(name for name in checked if name))


def _as_sent(name: str, value: Any) -> Any:
    """Understand numbers as text, and 0 as no clip skip: clients send both. The page has a switch as one of a list."""
    if name == "use_old_scheduling":
        return {"True": True, "False": False}.get(value, value) if isinstance(value, str) else value
    if name != "CLIP_stop_at_last_layers":
        return value
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return 1 if number == 0 and number is not False else number


_PartialImages = Literal["discard", "keep", "mark"]

Prompt = Annotated[str, BeforeValidator(text("Prompt", PROMPT_LONGEST))]
NegativePrompt = Annotated[str, BeforeValidator(text("Negative prompt", PROMPT_LONGEST))]
Styles = Annotated[tuple[str, ...], BeforeValidator(_check_styles)]
Combinatorial = Annotated[bool, BeforeValidator(switch("combinatorial", False))]
Seed = Annotated[int, BeforeValidator(whole_number("Seed", -1, SEED_HIGHEST, -1, " (-1 draws one)"))]
SamplerName = Annotated[str | None, BeforeValidator(check_sampler)]
Scheduler = Annotated[str | None, BeforeValidator(check_scheduler)]
Steps = Annotated[int | None, BeforeValidator(whole_number("Steps", 1, STEPS_HIGHEST, None))]
CfgScale = Annotated[float | None, BeforeValidator(real_number("CFG scale", 0, CFG_SCALE_HIGHEST, None, " (1 is off)"))]
DistilledCfgScale = Annotated[float | None, BeforeValidator(real_number("Distilled CFG scale", 0, 30, None))]
Shift = Annotated[
    float | None, BeforeValidator(real_number("Shift", 0.1, 20, None, ", or leave it out for the model's own"))
]
Width = Annotated[int | None, BeforeValidator(pixels("Width", SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE))]
Height = Annotated[int | None, BeforeValidator(pixels("Height", SIDE_LOWEST, SIDE_HIGHEST, SIDE_MULTIPLE))]
BatchSize = Annotated[int, BeforeValidator(whole_number("Batch size", 1, BATCH_SIZE_HIGHEST, 1))]
BatchCount = Annotated[int, BeforeValidator(whole_number("Batch count", 1, BATCH_COUNT_HIGHEST, 1))]
RefinerCheckpoint = Annotated[str | None, BeforeValidator(_check_refiner)]
RefinerSwitchAt = Annotated[float | None, BeforeValidator(real_number("Refiner switch at", 0, 1, None))]
Overrides = Annotated[dict[str, Any], BeforeValidator(_check_overrides)]
SaveImages = Annotated[bool | None, BeforeValidator(switch("save_images", None))]
DoNotSaveSamples = Annotated[bool, BeforeValidator(switch("do_not_save_samples", False))]
DisableExtraNetworks = Annotated[bool, BeforeValidator(switch("disable_extra_networks", False))]
DoNotSaveGrid = Annotated[bool, BeforeValidator(switch("do_not_save_grid", False))]
PartialImages = Annotated[_PartialImages | None, BeforeValidator(_check_partial_images)]
SendImages = Annotated[bool, BeforeValidator(switch("send_images", True))]
StopOnDisconnect = Annotated[bool, BeforeValidator(switch("stop_on_disconnect", False))]
TaskId = Annotated[str | None, BeforeValidator(_check_task_id)]
