"""What the tab answers, in words that stay until the next deed."""

from __future__ import annotations

import html as escaping
import json
import secrets
from collections.abc import Mapping

MESSAGE = '<p class="sd-answer" data-tone="{tone}" data-of="{of}" data-faults="{faults}" role="status">{words}</p>'


def message(tone: str, words: str, faults: Mapping[str, str] | None = None) -> str:
    """Write an answer for the page; `faults` say by the setting's name what is wrong. No two answers are alike.

    (Gradio does not show one again that it believes to stand there already.)
    """
    said = json.dumps(faults or {}, ensure_ascii=False)
    return MESSAGE.format(
        tone=tone, of=secrets.token_hex(4), faults=escaping.escape(said), words=escaping.escape(words)
    )
