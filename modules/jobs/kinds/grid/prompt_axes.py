"""What varies in the words of a grid's cells: a text is put in another's place, or texts change their order."""

from __future__ import annotations

from collections.abc import Sequence

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.axis_option import Fields
from modules.jobs.kinds.grid.value_forms import Value
from modules.jobs.lenient import show

# In the order in which they are searched; A1111 looks into the first two.
PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")


def search_and_replace(fields: Fields, value: Value, values: Sequence[Value]) -> None:
    """Put a text in the place of the first one of the axis, in all prompts of a request.

    Raises:
        InvalidRequest: no prompt has that one.
    """
    searched, put = str(values[0]), str(value)
    if not searched:
        raise InvalidRequest("Prompt S/R searches for its first value, which is empty: write what is to be replaced.")
    found = [name for name in PROMPTS if searched in (fields.get(name) or "")]
    if not found:
        raise InvalidRequest(
            f"Prompt S/R did not find {show(searched)} in prompt or negative prompt: its first value is what it "
            "replaces, as it stands in the prompt."
        )
    for name in found:
        fields[name] = fields[name].replace(searched, put)


def reorder(fields: Fields, value: Value, _values: Sequence[Value]) -> None:
    """Put the texts of a value, each of which is in the prompt, into the places that they have there, in their order.

    Raises:
        InvalidRequest: one is not in the prompt, or within another one of them.
    """
    prompt, texts = str(fields.get("prompt") or ""), value if isinstance(value, tuple) else (str(value),)
    for text in texts:
        if not text or text not in prompt:
            raise InvalidRequest(f"Prompt order did not find {show(text)} in the prompt: write parts of it.")
    parts: list[str] = []
    rest = prompt
    for text in sorted(texts, key=prompt.find):
        before, found, rest = rest.partition(text)
        if not found:
            raise InvalidRequest(f"Prompt order has {show(text)} within another of its texts: write each part once.")
        parts.append(before)
    fields["prompt"] = "".join(part + text for part, text in zip(parts, texts, strict=True)) + rest
