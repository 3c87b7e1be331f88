"""Comments in prompts: `#` hides the rest of its line, as A1111's option "Enable comments" has it."""

from __future__ import annotations

import re

_WHOLE_LINES = re.compile(r"(?:\A|\n)#[^\n]*(?:\n|\Z)")
_ENDS_OF_LINES = re.compile(r"#[^\n]*(?:\n|\Z)")


def without_comments(text: str) -> str:
    """Return a prompt without its comments.

    A line that begins with `#` goes with its end; of a line that has text before it, the end stays, even where it was
    the last one and had none. A colour such as `#ff0000` is a comment too, as in A1111.
    """
    if "#" not in text:
        return text
    return _ENDS_OF_LINES.sub("\n", _WHOLE_LINES.sub("\n", text))
