"""What clients send as a picture becomes the name of an input, before anything else looks at their request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from modules.errors import InputGone, InvalidRequest
from modules.jobs.inputs.base64_text import decode_base64
from modules.jobs.inputs.inputs import NAME, Inputs, MayStore
from modules.jobs.kinds.kind import Kind
from modules.jobs.lenient import is_blank, show

# Where the file of a job's picture is. Raises InvalidRequest: there is none, or not for who asks.
Outputs = Callable[[str, int], Path]

MOST_PICTURES = 1000
_ENDINGS = r"(?:\.(?:png|jpg|webp|avif))?"
_ADDRESS_OF_OUTPUT = re.compile(rf"/sdapi/v1/jobs/([^/?#]{{1,300}})/images/([0-9]{{1,9}}){_ENDINGS}(?:\?[^#]*)?")
_ADDRESS_OF_INPUT = re.compile(r"/sdapi/v1/inputs/([^/?#]{1,80})")
_LONGEST_ADDRESS = 500
# How an entry of A1111's `imageList` names its file and its picture.
_DATA = "data"


def take_in_request(
    kind: Kind[Any], data: Mapping[str, Any], inputs: Inputs, outputs: Outputs, may_store: MayStore | None = None
) -> dict[str, Any]:
    """Return a request in whose picture fields names of inputs stand, whatever was sent there.

    That is base64, with or without a `data:` prefix; the address of an output of ours or of an input; or such a name.
    None and "" stay, and so does the form of a list: of texts, or of objects with `data`.

    Raises:
        InvalidRequest: with the field and the remedy.
        StorageError: the disk refuses.
    """
    return dict(data) | {
        field: _Taker(field, inputs, outputs, may_store).value(data[field]) for field in kind.inputs if field in data
    }


class _Taker:
    """Takes in what stands in one field."""

    def __init__(self, field: str, inputs: Inputs, outputs: Outputs, may_store: MayStore | None) -> None:
        self.field, self.inputs, self.outputs, self.may_store = field, inputs, outputs, may_store

    def value(self, value: Any) -> Any:
        """Return names in the form in which pictures were sent."""
        if is_blank(value):
            return value
        if not isinstance(value, list):
            return self._picture(value, self.field)
        if len(value) > MOST_PICTURES:
            raise InvalidRequest(
                f"{self.field} has {len(value):,} pictures: send at most {MOST_PICTURES:,}.", self.field
            )
        return [self._entry(entry, f"{self.field}[{number}]") for number, entry in enumerate(value)]

    def _entry(self, entry: Any, label: str) -> Any:
        if isinstance(entry, dict):
            return entry | {_DATA: self._picture(entry.get(_DATA), f"{label}.{_DATA}")}
        return self._picture(entry, label)

    def _picture(self, value: Any, label: str) -> str:
        if is_blank(value):
            raise InvalidRequest(f"{label} is empty: send the picture's file as base64.", self.field)
        if not isinstance(value, str):
            raise InvalidRequest(f"{label} {show(value)} is no picture: send its file as base64.", self.field)
        try:
            return self._named(value, label) or self._sent(value, label)
        except InputGone as error:
            raise InvalidRequest(f"{label}: {error}", self.field) from error
        except InvalidRequest as error:
            raise InvalidRequest(f"{label}: {error}" if label not in str(error) else str(error), self.field) from error

    def _named(self, value: str, label: str) -> str | None:
        """Return the input that a short text names; None: it is the picture itself."""
        if value.startswith(("http://", "https://")):
            raise InvalidRequest(
                f"Requests not allowed: {label} is the address {show(value)}, and this program fetches none. Send the "
                "picture's file as base64."
            )
        if len(value) > _LONGEST_ADDRESS:
            return None
        if output := _ADDRESS_OF_OUTPUT.fullmatch(value):
            path = self.outputs(unquote(output[1]), int(output[2]))
            return self.inputs.adopt(path, self.field, self.may_store).name
        if (address := _ADDRESS_OF_INPUT.fullmatch(value)) or NAME.fullmatch(value):
            return self.inputs.find(address[1] if address else value).name
        return None

    def _sent(self, value: str, label: str) -> str:
        return self.inputs.take_in(decode_base64(value, label), self.field, self.may_store).name
