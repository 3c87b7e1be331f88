"""What A1111's users choose as a script: SD upscale is the second pass of hires fix, the others are kinds of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.request import BASES
from modules.jobs.kinds.grid.scripts import script_named
from modules.jobs.kinds.hires_fields import TILE_HIGHEST, TILE_LOWEST, TILE_MULTIPLE
from modules.jobs.latent_upscaling import NO_UPSCALER
from modules.jobs.lenient import is_blank, show

SD_UPSCALE = "sd upscale"
_IMG2IMG, _TXT2IMG = "img2img", "txt2img"
# The arguments of that script, in order: words, how far tiles overlap, the upscaler, by how much.
_UPSCALER, _FACTOR = 2, 3
_FACTOR_LEFT_OUT = 2.0
_NATIVE_TILE = 512
_OF_SCRIPTS = ("script_name", "script_args")
_OF_IMG2IMG = ("script_name", "script_args", "init_images", "mask", "resize_mode", "width", "height")


def without_script(kind: object, data: object) -> tuple[object, object]:
    """Return kind and request that do what the script of a request does; without such a script they are as they were.

    Scripts that make several pictures of a request are grids. A1111's SD upscale enlarges a picture and draws it over
    in tiles of width times height.

    Raises:
        InvalidRequest: it lacks something, or has more than the script takes.
    """
    if not isinstance(data, Mapping) or not isinstance(kind, str) or kind not in BASES:
        return kind, data
    if (grid := script_named(data.get("script_name"))) is not None:
        kept = {name: value for name, value in data.items() if name not in _OF_SCRIPTS}
        return "grid", kept | {"of": kind, "script": grid.title, "script_args": data.get("script_args")}
    if kind != _IMG2IMG or not _is_sd_upscale(data.get("script_name")):
        return kind, data
    if not is_blank(data.get("mask")):
        raise InvalidRequest("SD upscale draws the whole picture over: send no mask.", "mask")
    kept = {name: value for name, value in data.items() if name not in _OF_IMG2IMG}
    upscaler, factor = _arguments(data.get("script_args"))
    enlarged = {"enable_hr": True, "hr_upscaler": upscaler, "hr_scale": factor, "hr_tile": _tile(data)}
    return _TXT2IMG, kept | enlarged | {"firstpass_image": _only_picture(data.get("init_images"))}


def _is_sd_upscale(name: object) -> bool:
    return isinstance(name, str) and name.strip().casefold() == SD_UPSCALE


def _only_picture(pictures: object) -> object:
    if isinstance(pictures, str):
        return pictures
    if not isinstance(pictures, list) or len(pictures) != 1:
        raise InvalidRequest("SD upscale enlarges one picture: send init_images with one.", "init_images")
    return pictures[0]


def _arguments(sent: object) -> tuple[object, object]:
    """Return upscaler and factor."""
    arguments: Sequence[Any] = sent if isinstance(sent, list) else ()
    upscaler = arguments[_UPSCALER] if len(arguments) > _UPSCALER else NO_UPSCALER
    if not isinstance(upscaler, str):
        raise InvalidRequest(
            f"SD upscale's upscaler {show(upscaler)} is no name: send one of GET /sdapi/v1/upscalers.", "script_args"
        )
    return upscaler, arguments[_FACTOR] if len(arguments) > _FACTOR else _FACTOR_LEFT_OUT


def _tile(data: Mapping[str, Any]) -> int:
    """Return the side of the tiles: the larger of width and height, of those that are possible the nearest."""
    sides = [side for side in (data.get("width"), data.get("height")) if isinstance(side, int)]
    side = max(sides, default=_NATIVE_TILE)
    return min(max(side - side % TILE_MULTIPLE, TILE_LOWEST), TILE_HIGHEST)
