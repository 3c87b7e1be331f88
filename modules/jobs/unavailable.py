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


_ASKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "enable_hr": (_on, "Hires fix is not available in this version: send false, and width and height as you want them"),
    "restore_faces": (_on, "Face restoration is not available in this version: send false"),
    "tiling": (_on, "Tiling is not available in this version: send false"),
    "subseed_strength": (_above_zero, "Variation seeds are not available in this version: send 0"),
    "seed_resize_from_w": (_above_zero, "Seed resize is not available in this version: send 0"),
    "seed_resize_from_h": (_above_zero, "Seed resize is not available in this version: send 0"),
    "s_churn": (_above_zero, "Sigma churn is not available in this version: send 0"),
    "s_min_uncond": (_above_zero, "Negative guidance minimum sigma is not available in this version: send 0"),
    "refiner_checkpoint": (_given, "A refiner is not available in this version: leave it out"),
    "firstpass_image": (_given, "A first-pass image is not available in this version: leave it out"),
    "infotext": (_given, "Infotext in a request is not available in this version: send its values as fields"),
}

_OVERRIDE_ASKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "CLIP_stop_at_last_layers": (
        lambda value: value not in (None, "", 0, 1, "0", "1"),
        "Clip skip is not available in this version: send 1",
    ),
    "sd_vae": (
        lambda value: _given(value) and value != "Automatic",
        "Choosing a VAE is not available in this version: send Automatic",
    ),
    "eta_noise_seed_delta": (_above_zero, "ENSD is not available in this version: send 0"),
}


def check_available(data: Mapping[str, Any]) -> None:
    """Refuse a request for what is not there yet.

    Raises:
        InvalidRequest: with the field, the value and the remedy.
    """
    _check(data, _ASKS)
    styles = data.get("styles")
    if styles:
        first = styles[0] if isinstance(styles, list) else styles
        message = (
            f"Style {show(first)} not found: styles are not available in this version, put its words in the prompt."
        )
        raise InvalidRequest(message, field="styles")
    if _given(data.get("script_name")):
        raise InvalidRequest(
            f"Script {show(data['script_name'])} not found: leave script_name out.", field="script_name"
        )
    always_on = data.get("alwayson_scripts")
    if always_on:
        first = next(iter(always_on)) if isinstance(always_on, dict | list) else always_on
        message = f"Always-on script {show(first)} not found: leave it out of alwayson_scripts."
        raise InvalidRequest(message, field="alwayson_scripts")
    overrides = data.get("override_settings")
    if isinstance(overrides, Mapping):
        _check(overrides, _OVERRIDE_ASKS, "override_settings.")


def _check(data: Mapping[str, Any], asks: Mapping[str, tuple[Callable[[Any], bool], str]], prefix: str = "") -> None:
    for field, (asks_for_it, message) in asks.items():
        if field in data and asks_for_it(data[field]):
            raise InvalidRequest(f"{message} ({field} was {show(data[field])}).", field=prefix + field)
