"""An axis of how much of a LoRA is in a picture: `name:0.5`, `name:0-1 [5]`; a name counts until another one comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.axis_option import Fields, shown
from modules.jobs.kinds.grid.value_forms import Value, numbers_of, one_by_one
from modules.jobs.lenient import show
from modules.prompts.extra_networks import tags_in

_NAME_LONGEST = 200


def weights_of(texts: Sequence[str]) -> tuple[Value, ...]:
    """Return pairs of a name and a weight, as texts; a name alone has the weight 1.

    Raises:
        InvalidRequest: a weight comes before any name, or cannot be read.
    """
    name = ""

    def read(text: str) -> Iterable[Value]:
        nonlocal name
        named, colon, weights = text.rpartition(":")
        if colon:
            name = named.strip()
        elif not _is_number(text):
            name, weights = text.strip(), "1"
        if not name or len(name) > _NAME_LONGEST or any(mark in name for mark in "<>:"):
            raise InvalidRequest(f"{show(text)} names no LoRA: write its name before the weights, such as name:0.5, 1.")
        return [(name, shown(weight)) for weight in numbers_of(weights, whole=False)]

    return one_by_one(read, filter(None, texts))


def set_weight(fields: Fields, value: Value, _values: Sequence[Value]) -> None:
    """Give a LoRA its weight where the prompts call for it; where none does, the prompt does at its end."""
    assert isinstance(value, tuple)
    name, weight = value
    prompts = [field for field in ("prompt", "hr_prompt") if (fields.get(field) or "").strip()] or ["prompt"]
    weighed = {field: _weighed(fields.get(field) or "", name, weight) for field in prompts}
    called = any(found for _text, found in weighed.values())
    tag = "" if called else f" <lora:{name}:{weight}>"
    fields |= {field: f"{text}{tag}".strip() if tag else text for field, (text, _found) in weighed.items()}


def written(_label: str, value: Value) -> str:
    """Return what stands beside the pictures of a value."""
    assert isinstance(value, tuple)
    return ": ".join(value)


def _weighed(text: str, name: str, weight: str) -> tuple[str, bool]:
    """Return a prompt in which the tags of a LoRA have a weight, and whether there are any."""
    kept: list[str] = []
    place = 0
    for start, end, tag in tags_in(text):
        if tag.kind == "lora" and tag.name.strip().casefold() == name.casefold():
            more = "".join(f":{one}" for one in tag.arguments) + (f":dyn={tag.dyn}" if tag.dyn is not None else "")
            kept += [text[place:start], f"<lora:{tag.name}:{weight}{more}>"]
            place = end
    return "".join([*kept, text[place:]]), bool(kept)


def _is_number(text: str) -> bool:
    try:
        numbers_of(text, whole=False)
    except InvalidRequest:
        return False
    return True
