"""What a program wrote into a picture, in A1111's words, and the few steps that all readers share."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# A graph of ComfyUI, the largest of what is read, is seldom more than some hundred kilobytes.
JSON_LONGEST = 2 << 20
# What is longer is no prompt, and its weights stay as they are written.
WEIGHED_LONGEST = 20_000
_SUFFIXES = re.compile(r"\.(safetensors|ckpt|sft|pth|pt|bin|gguf)$", re.IGNORECASE)
_ELSEWHERE = "belongs to {program} and has no place here"


class NotTaken(NamedTuple):
    """Something that has no place among A1111's pairs: what, with which value, and why."""

    label: str
    value: str
    why: str


@dataclass
class Reading:
    """The settings in a picture's file. `pairs` are those of an infotext, with `Prompt` and `Negative prompt`.

    `rows` are further things that the file says and that no setting follows from; `source` is the key of the text that
    was read.
    """

    program: str
    pairs: dict[str, str] = field(default_factory=lambda: {"Prompt": "", "Negative prompt": ""})
    left: list[NotTaken] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    source: str = ""

    def put(self, key: str, value: object) -> None:
        """Take a pair over, unless there is nothing to take."""
        text = shown(value)
        if text:
            self.pairs[key] = text

    def put_size(self, width: object, height: object) -> None:
        """Take a size over where both sides are known."""
        sides = whole(width), whole(height)
        if all(side is not None and side > 0 for side in sides):
            self.pairs["Size"] = f"{sides[0]}x{sides[1]}"

    def put_network(self, name: object, weight: object = 1, text_encoder: object = None) -> None:
        """Put a LoRA into the prompt, as A1111 has it there; with two weights the first is the text encoder's."""
        bare = bare_name(name).replace("<", "").replace(">", "").replace(":", "")
        if not bare or f"<lora:{bare}:" in self.pairs.get("Prompt", ""):
            return
        weights = [number(weight, 1.0)]
        if text_encoder is not None and number(text_encoder, 1.0) != weights[0]:
            weights.insert(0, number(text_encoder, 1.0))
        tag = f"<lora:{bare}:{':'.join(f'{one:g}' for one in weights)}>"
        self.pairs["Prompt"] = f"{self.pairs.get('Prompt', '')} {tag}".strip()

    def leave(self, label: str, value: object, why: str | None = None) -> None:
        """Note what cannot be taken over; nothing where it says nothing."""
        text = shown(value)
        if text:
            self.left.append(NotTaken(label, text, why or _ELSEWHERE.format(program=self.program)))


def load_object(text: str | None) -> dict[str, Any]:
    """Return the JSON object that a text is; an empty one where it is none, too deep or too long."""
    if not text or len(text) > JSON_LONGEST or not text.lstrip().startswith("{"):
        return {}
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object of some JSON, an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """Return a list of some JSON, an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def shown(value: object) -> str:
    """Return a value as an infotext has it: 7 for 7.0, "" for what is nothing or no plain value."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    return str(value).strip() if isinstance(value, (str, int, bool)) else ""


def number(value: object, otherwise: float = math.nan) -> float:
    """Return a number, also of a text; `otherwise` where there is none."""
    try:
        found = float(value)  # type: ignore[arg-type]  # whatever it is, it is tried
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return found if math.isfinite(found) else otherwise


def whole(value: object) -> int | None:
    """Return a whole number, also of a text; None where there is none."""
    if isinstance(value, int):
        return int(value)
    found = number(value)
    return int(found) if math.isfinite(found) else None


def bare_name(name: object) -> str:
    """Return a model's name without folder and ending."""
    text = str(name).strip() if isinstance(name, str) else ""
    return _SUFFIXES.sub("", re.split(r"[/\\]", text)[-1])
