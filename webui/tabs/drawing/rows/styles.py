"""Styles, below the prompts: which are chosen, into the prompts with them, and the dialog in which they are written."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules.errors import InvalidRequest
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.prompts.styles.style import with_styles
from webui.components import tool_button
from webui.listeners import Component, Named, Values, on
from webui.tabs.drawing.form import Form

FIELD, APPLY = "styles", "apply_styles"
_PROMPTS = ("prompt", "negative_prompt")


def styles(form: Form) -> None:
    """Make the list of styles, and beside it the buttons that put them into the prompts and that edit them."""
    with gr.Row(elem_id=form.id("styles_row"), elem_classes=["sd-styles"]):
        # A style that is remembered or taken over may be gone: it is shown all the same, and refused by its name.
        chosen = gr.Dropdown(
            [], value=[], label="Styles", show_label=False, container=False, multiselect=True, allow_custom_value=True,
            elem_id=form.id("styles"), min_width=0,
        )  # fmt: skip
        apply = tool_button("📋", form.id("style_apply"), "sd-style-apply")
        tool_button("🖌", form.id("styles_edit_button"), "sd-styles-edit")
    form.add(FIELD, chosen)
    form.others[APPLY] = apply


def combinations(form: Form) -> None:
    """Make the switch for all that a prompt can become; the page shows it where there is something to choose."""
    with gr.Row(elem_id=form.id("combinatorial_row"), elem_classes=["sd-combinations"]):
        switch = gr.Checkbox(
            False, label="All combinations", elem_id=form.id("combinatorial"), min_width=0,
            info="Draw all that the prompt's variants and wildcards can make, each as often as is said above.",
        )  # fmt: skip
    form.add("combinatorial", switch)


def listed(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of styles as it is now."""
    return {"choices": [style.name for style in catalogue.library.styles.styles()]}


def wire(fields: Named, apply: Component, catalogue: CheckpointCatalogue) -> None:
    """Make the button put the chosen styles into the prompts, and choose none from then on."""
    touched = {name: fields[name] for name in (*_PROMPTS, FIELD)}

    def put_in(values: Values, _asker: gr.Request) -> Values:
        return applied(values, catalogue)

    on(apply.click, put_in, touched, touched)


def applied(values: Values, catalogue: CheckpointCatalogue) -> Values:
    """Return prompts with the chosen styles; of one that is not there any more, or is too long, nothing changes."""
    names = values[FIELD] if isinstance(values[FIELD], list) else []
    try:
        found = catalogue.library.styles.find([str(name) for name in names])
        if not found:
            return {**values, FIELD: []}
        texts = {name: [getattr(style, name) for style in found] for name in _PROMPTS}
        return {FIELD: []} | {
            name: with_styles(str(values[name] or ""), texts[name], PROMPT_LONGEST) for name in _PROMPTS
        }
    except InvalidRequest:  # Who generates is told of it.
        return values
