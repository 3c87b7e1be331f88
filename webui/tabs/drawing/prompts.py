"""The prompts of a drawing tab, and what is said of them while they are written."""

from __future__ import annotations

import html as escaping
from dataclasses import dataclass

import gradio as gr

from modules.errors import ModelError
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.prompts.plain_syntax import describe_plain_syntax
from modules.prompts.symbols import symbols_of
from modules.prompts.token_count import count_tokens
from webui import checkpoint_facts as suits
from webui.components import hidden_button, html
from webui.listeners import Component, Script, Values, on
from webui.tabs.drawing.form import Form

PLAIN = '<p class="sd-plain-words">{words}</p>'
TOKENS = '<span class="sd-tokens">{count}</span>'
PASTE = (
    '<button type="button" class="sd-paste" id="paste" data-take="paste" '
    'aria-label="Take settings over from the infotext in the prompt, or from the last picture" '
    'title="Take settings over: from the infotext in the prompt, else from the last picture"></button>'
)


@dataclass(frozen=True)
class Prompt:
    """A prompt's field, how many tokens it has, and what of it is drawn as plain text."""

    field: Component
    tokens: Component
    plain: Component


def build(form: Form) -> tuple[Prompt, ...]:
    """Make both prompts."""
    html(PASTE, classes=["sd-counter"])
    tokens = html(TOKENS.format(count="0 / 75"), form.id("token_counter"), ["sd-counter"])
    field = gr.Textbox("", label="Prompt", lines=3, max_lines=12, elem_id=form.id("prompt"), elem_classes=["sd-prompt"],
                       placeholder="What should be in the picture")  # fmt: skip
    prompt = Prompt(form.add("prompt", field), tokens, html("", form.id("plain"), ["sd-plain"]))
    tokens = html(TOKENS.format(count="0 / 75"), form.id("negative_token_counter"), ["sd-counter"])
    field = gr.Textbox("", label="Negative prompt", lines=1, max_lines=8, elem_id=form.id("neg_prompt"),
                       elem_classes=["sd-neg-prompt"], placeholder="What should not be there")  # fmt: skip
    negative = Prompt(form.add("negative_prompt", field), tokens, html("", form.id("negative_plain"), ["sd-plain"]))
    example = hidden_button("Example", form.id("example"))
    on(example.click, None, outputs={"prompt": prompt.field}, script=Script("chosenExample", form.prefix))
    return prompt, negative


def wire(prompts: tuple[Prompt, ...], checkpoint: Component, catalogue: CheckpointCatalogue) -> None:
    """Count anew when a prompt or the checkpoint changes."""

    def count(values: Values, _asker: gr.Request) -> Values:
        return {"tokens": shown_count(catalogue, values["text"], values["checkpoint"]),
                "plain": shown_plain(values["text"])}  # fmt: skip

    for one in prompts:
        for changed in (one.field, checkpoint):
            on(changed.change, count, {"text": one.field, "checkpoint": checkpoint},
               {"tokens": one.tokens, "plain": one.plain}, trigger_mode="always_last")  # fmt: skip


def shown_count(catalogue: CheckpointCatalogue, text: object, name: str) -> str:
    """Return how many tokens a prompt has for the model named, as the page shows it; nothing where none can say.

    No job takes a longer text than is counted here: counting 30 MB would keep a core for half a minute.
    """
    checkpoint = suits.chosen(catalogue, name or "")
    if checkpoint is None or checkpoint.tokenizer_file is None:
        return ""
    spelled = symbols_of(checkpoint.path, checkpoint.stamp).spell_out(str(text or "")[:PROMPT_LONGEST])
    try:
        tokens = count_tokens(checkpoint.tokenizer_file, spelled)
    except ModelError:
        return ""  # The job says it, with the remedy; here each key would.
    return TOKENS.format(count=f"{tokens.used} / {tokens.limit}")


def shown_plain(text: object) -> str:
    """Return what the page says of a prompt's weights, schedules and networks, which are drawn as plain text here."""
    words = describe_plain_syntax(str(text or "")[:PROMPT_LONGEST])
    return PLAIN.format(words=escaping.escape(words)) if words else ""
