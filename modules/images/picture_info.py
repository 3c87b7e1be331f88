"""What a picture's file says about itself, whatever program wrote it: an infotext, its texts, fields of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modules.errors import InvalidRequest
from modules.images.foreign import programs
from modules.images.foreign.programs import infotext_in
from modules.images.foreign.reading import NotTaken, Reading
from modules.images.infotext import fields_of, parse, text_of
from modules.images.picture_texts import PARAMETERS_KEY, Text, texts_in
from modules.images.png import STEADY_KEY
from modules.images.taken_reading import own_overrides
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.spelling import SPELLING, in_file

# Longer than any prompt and its negative with all pairs; graphs of ComfyUI are other texts.
INFOTEXT_LONGEST = 100_000
_MOST_ROWS = 300
_ROW_LONGEST = 20_000
# What stands in a file and says nothing of how the picture was made; A1111 leaves these out as well.
_NOT_ITEMS = frozenset({"Make", "Model", "jfif", "dpi", "icc_profile", "photoshop", "gamma", "timestamp"})


class Row(NamedTuple):
    """One thing that was found, and where in the file it stands."""

    key: str
    value: str
    place: str


@dataclass(frozen=True)
class PictureInfo:
    """What A1111's `POST /sdapi/v1/png-info` tells, and more.

    `info` is the infotext, of another program's settings made one, "" when there is none; `items` all texts by their
    keys; `parameters` the fields of a request. `settings` is what is taken over, as an infotext with these `pairs`;
    `rows` is all that was found, `left` what of it has no place among A1111's pairs.
    """

    info: str
    items: dict[str, str]
    parameters: dict[str, Any]
    settings: str = ""
    program: str | None = None
    pairs: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    left: tuple[NotTaken, ...] = ()


def read_parameters(data: bytes) -> PictureInfo:
    """Return what a picture says about itself. Our own JSON wins over the infotext, which loses some prompts.

    No pixel is decoded, so a picture's size costs nothing.

    Raises:
        InvalidRequest: the bytes are no picture, or one with more text than anybody writes.
    """
    texts = texts_in(data)
    items = _items_of(texts)
    written = items.get(PARAMETERS_KEY, "")
    if len(written) > INFOTEXT_LONGEST and not written.lstrip().startswith("{"):
        raise InvalidRequest(
            f"The picture's text has {len(written)} characters and at most {INFOTEXT_LONGEST} are read: "
            "save the picture without it, or with a shorter prompt.",
            field="image",
        )
    reading = programs.read(items)
    own = _own_fields(items.get(STEADY_KEY))
    settings = "" if reading is None else text_of(reading.pairs)
    plain = "" if written.lstrip().startswith("{") else written
    info = infotext_in(items) or settings or plain
    parameters = fields_of(reading.pairs) if reading is not None else parse(info) if info else {}
    overrides = {**parameters.get("override_settings", {}), **own.pop("override_settings", {})}
    return PictureInfo(
        info=info,
        items=items,
        parameters=parameters | own | ({"override_settings": overrides} if overrides else {}),
        settings=settings,
        program=None if reading is None else reading.program,
        pairs={} if reading is None else reading.pairs,
        rows=tuple(_rows(texts, reading)),
        left=() if reading is None else tuple(reading.left),
    )


def infotext_of(data: bytes) -> str:
    """Return the infotext in a picture's file; "" where there is none, or none that can be read."""
    try:
        return read_parameters(data).info
    except InvalidRequest:
        return ""


def _items_of(texts: Sequence[Text]) -> dict[str, str]:
    """Of texts with the same key the last one counts: EXIF wins over a PNG's own chunk, as with A1111."""
    return {text.key: text.value for text in texts if text.key not in _NOT_ITEMS}


def _rows(texts: Sequence[Text], reading: Reading | None) -> Iterator[Row]:
    """Yield the settings one by one, then the texts as they stand in the file."""
    if reading is not None:
        place = next((text.place for text in texts if text.key == reading.source), "")
        for key, value in list((reading.pairs | reading.rows).items())[:_MOST_ROWS]:
            if value:
                yield Row(key, value[:_ROW_LONGEST], f"{reading.source}, {place}")
    for text in texts[:_MOST_ROWS]:
        yield Row(text.key, text.value[:_ROW_LONGEST], text.place)


def _own_fields(text: str | None) -> dict[str, Any]:
    """Return the fields of a request from our own chunk; none when it is absent or not ours."""
    if text is None:
        return {}
    try:
        resolved = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(resolved, dict):
        return {}
    words, numbers = ("prompt", "negative_prompt", "sampler_name", "scheduler"), ("cfg_scale",)
    whole = ("seed", "steps", "width", "height")
    fields = {name: resolved[name] for name in words if isinstance(resolved.get(name), str)}
    fields |= {name: resolved[name] for name in whole if type(resolved.get(name)) is int}
    fields |= {name: resolved[name] for name in numbers if type(resolved.get(name)) in (int, float)}
    overrides: dict[str, Any] = {}
    if isinstance(resolved.get("checkpoint"), str):
        overrides["sd_model_checkpoint"] = resolved["checkpoint"]
    modules = resolved.get(MODULES)
    if isinstance(modules, list) and all(isinstance(name, str) for name in modules):
        overrides[MODULES] = modules
    overrides |= own_overrides(resolved)
    if spelling := in_file(resolved):
        fields[SPELLING] = spelling
    return fields | ({"override_settings": overrides} if overrides else {})
