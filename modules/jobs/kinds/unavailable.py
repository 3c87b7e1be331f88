"""What A1111's clients may ask for and this version cannot do.

Nothing that would change the picture is ignored in silence: a value that asks for it is refused. The neutral values
that clients always send are accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.lenient import is_blank, show


def _on(value: Any) -> bool:
    return value not in (None, False, 0, "", "false", "False")


def _above_zero(value: Any) -> bool:
    try:
        return not is_blank(value) and float(value) > 0
    except (TypeError, ValueError):
        return True


def _given(value: Any) -> bool:
    return not is_blank(value) and value != "None"


def _any(value: Any) -> bool:
    return _given(value) and value not in ([], ())


def _modules(value: Any) -> bool:
    """Tell whether Forge's second pass is to have other text encoders or another VAE than the first."""
    names = [value] if isinstance(value, str) else value
    return not is_blank(value) and (not isinstance(names, list) or any(name not in _SAME_MODULES for name in names))


_SAME_MODULES = ("", "Use same choices")

_ASKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "restore_faces": (_on, "Face restoration is not available in this version: send false"),
    "s_min_uncond": (_above_zero, "Negative guidance minimum sigma is not available in this version: send 0"),
    "hr_additional_modules": (_modules, "Modules of its own for hires fix are not available in this version: send []"),
}

# What one kind has and others have not, by the kind that has it.
_OF_ONE_KIND: Mapping[str, Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "txt2img": {
        "enable_hr": (_on, "Hires fix is for txt2img: send false, and width and height as you want them"),
        "firstpass_image": (_given, "A first-pass image is for txt2img: send it as init_images, or leave it out"),
    },
    "img2img": {
        "init_images": (_any, "Pictures to begin with are for img2img: send them there, or leave them out"),
        "mask": (_given, "A mask is for img2img, which has no second pass: send it there, or leave it out"),
        "latent_mask": (_given, "A mask is for img2img, which has no second pass: send it there, or leave it out"),
    },
}


def check_available(data: Mapping[str, Any], kind: str) -> None:
    """Refuse a request of this kind for what is not there yet, or not there.

    Raises:
        InvalidRequest: with the field, the value and the remedy.
    """
    _check(data, _ASKS)
    for its, asks in _OF_ONE_KIND.items():
        if its != kind:
            _check(data, asks)
    if _given(data.get("script_name")):
        named = show(data["script_name"])
        message = f"Script {named} not found: use one of GET /sdapi/v1/scripts, or leave script_name out."
        raise InvalidRequest(message, field="script_name")
    always_on = data.get("alwayson_scripts")
    if always_on:
        first = next(iter(always_on)) if isinstance(always_on, dict | list) else always_on
        message = f"Always-on script {show(first)} not found: leave it out of alwayson_scripts."
        raise InvalidRequest(message, field="alwayson_scripts")


def _check(data: Mapping[str, Any], asks: Mapping[str, tuple[Callable[[Any], bool], str]], prefix: str = "") -> None:
    for field, (asks_for_it, message) in asks.items():
        if field in data and asks_for_it(data[field]):
            raise InvalidRequest(f"{message} ({field} was {show(data[field])}).", field=prefix + field)
