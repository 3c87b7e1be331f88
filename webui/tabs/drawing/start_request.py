"""Between the fields of a tab that starts from pictures, and the request of its jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from webui.tabs.drawing.rows.masking import SOFT
from webui.tabs.drawing.rows.outpainting import SIDES
from webui.tabs.drawing.start_modes import MASKED, MODES

_OF_MASKS = (
    "mask", "mask_blur", "inpainting_mask_invert", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding",
    "soft_inpainting", *(f"soft_inpainting_{name}" for name, *_ in SOFT),
)  # fmt: skip
_MARGINS = tuple(f"outpaint_{side}" for side in SIDES)
_OF_OUTPAINTING = (*_MARGINS, "outpaint_fill", "outpaint_blend")
# Is the model told of the picture? None leaves it to the model.
_TOLD = {"yes": True, "no": False}
# Of the page alone.
_OWN = frozenset({"start_mode", "batch_images", "batch_folder", "resize_by"})


def request_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that the fields describe: of a sub-tab's fields those that mean something there."""
    mode = values["start_mode"]
    request = {name: value for name, value in values.items() if name not in _OWN}
    request["init_images"] = names_in(values["batch_images" if mode == "batch" else "init_images"])
    masked = mode in MASKED and bool(values["mask"])
    hidden = (() if masked else _OF_MASKS) + (() if mode == "outpaint" else _OF_OUTPAINTING)
    hidden += () if values["resize_by"] == "by" and mode != "outpaint" else ("scale",)
    for name in hidden:
        request.pop(name, None)
    request["as_condition"] = _TOLD.get(values["as_condition"])
    if mode == "outpaint":
        request |= {name: _pixels(values[name]) for name in _MARGINS}
    if mode == "batch":
        request["n_iter"] = _times(values["n_iter"], len(request["init_images"]))
    return request


def shown_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show of a request: they say with which pictures, and in which sub-tab, it began."""
    apart = ("init_images", "mask", "mask_blur", "mask_blur_x", "mask_blur_y")
    shown = {name: value for name, value in request.items() if name not in apart}
    for name in ("inpaint_full_res", "inpainting_mask_invert"):
        if shown.get(name) is not None:
            shown[name] = int(shown[name])
    if isinstance(request.get("as_condition"), bool):
        shown["as_condition"] = "yes" if request["as_condition"] else "no"
    shown |= _blur_of(request)
    if request.get("scale") is not None or request.get("width") is not None:
        shown["resize_by"] = "to" if request.get("scale") is None else "by"
    pictures = request.get("init_images")
    if not isinstance(pictures, list) or not pictures:
        return shown
    field = "batch_images" if len(pictures) > 1 else "init_images"
    shown |= {field: json.dumps(pictures), "mask": request.get("mask") or "", "start_mode": _mode_of(request)}
    shown |= {"as_condition": "", **shown} | {name: f"{request.get(name) or 0}" for name in _MARGINS}
    if len(pictures) > 1 and isinstance(request.get("n_iter"), int):
        shown["n_iter"] = max(1, request["n_iter"] // len(pictures))
    return shown


def names_in(text: object) -> list[str]:
    """Return the names of pictures that the page's scripts wrote, none where that cannot be read."""
    try:
        names = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _pixels(text: Any) -> Any:
    """Return the number of a text that a script wrote; what is none is told at the editor."""
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def _times(count: Any, pictures: int) -> Any:
    """Each picture of a batch is drawn so often; what is no number is told at its field."""
    whole = isinstance(count, int) or (isinstance(count, float) and count.is_integer())
    return int(count) * max(1, pictures) if whole else count


def _blur_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the blur of a mask; one that differs from side to side has no field."""
    across, down = request.get("mask_blur_x"), request.get("mask_blur_y")
    if request.get("mask_blur") is None and across != down:
        return {"mask_blur_x": across, "mask_blur_y": down}
    blur = across if request.get("mask_blur") is None else request["mask_blur"]
    return {} if blur is None else {"mask_blur": blur}


def _mode_of(request: Mapping[str, Any]) -> str:
    if request.get("mask"):
        return "inpaint"
    if any(request.get(name) for name in _MARGINS):
        return "outpaint"
    return "batch" if len(request["init_images"]) > 1 else MODES[0].name
