"""Styles and templates of a picture's prompts, as the fields of the page have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from modules.prompts.styles.style import Style, find_styles

# A1111's setting `infotext_styles`.
StylesTaken = Literal["Ignore", "Apply", "Discard", "Apply if any"]
STYLES_LABEL = "Styles"
_TEMPLATES = {"prompt": "Template", "negative_prompt": "Negative Template"}


def templates_in(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return the prompts that those of a picture were made of, by the names of the fields, if it tells them."""
    return {field: pairs[key] for field, key in _TEMPLATES.items() if pairs.get(key)}


def with_styles_taken(values: Mapping[str, Any], styles: Sequence[Style], how: StylesTaken) -> dict[str, Any]:
    """Return the fields with the styles that stand in their prompts as names, as the setting wants it."""
    if how == "Ignore" or "prompt" not in values:
        return dict(values)
    found = find_styles(str(values["prompt"]), str(values.get("negative_prompt") or ""), styles)
    taken = dict(values) | {"prompt": found.prompt}
    if "negative_prompt" in values:
        taken["negative_prompt"] = found.negative_prompt
    if how == "Apply" or (how == "Apply if any" and found.names):
        taken["styles"] = list(found.names)
    return taken
