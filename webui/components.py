"""The few building blocks that the tabs share, with the names that the page's scripts look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr


def html(value: str, elem_id: str | None = None, classes: Sequence[str] = ()) -> Any:
    """A piece of own HTML, without Gradio's frame or type styles. The page's scripts may change what is in it."""
    frameless: dict[str, Any] = {"padding": False, "apply_default_css": False, "js_on_load": None}
    return gr.HTML(value, elem_id=elem_id, elem_classes=list(classes), **frameless)


def tool_button(sign: str, elem_id: str, *classes: str) -> Any:
    """A small button with one sign. Its name for screen readers and its tooltip are set by `fields/fields.js`."""
    return gr.Button(sign, elem_id=elem_id, elem_classes=["sd-tool", *classes], min_width=36, scale=0)


def hidden_button(name: str, elem_id: str) -> Any:
    """A button that scripts press. It is in the page, out of sight."""
    return gr.Button(name, elem_id=elem_id, visible="hidden")


def hidden_text(elem_id: str, value: str = "") -> Any:
    """A text that scripts read. It is in the page, out of sight."""
    return gr.Textbox(value, elem_id=elem_id, visible="hidden", label=elem_id)
