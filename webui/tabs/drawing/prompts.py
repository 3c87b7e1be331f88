"""The prompts of a drawing tab, and what is said of them while they are written."""

from __future__ import annotations

import functools
import html as escaping
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from modules.errors import ModelError
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.word_widths import takes_embeddings, why_embedding_does_not_fit
from modules.prompts.comments import without_comments
from modules.prompts.dynamic.left import describe_missing
from modules.prompts.dynamic.values import Lookup
from modules.prompts.hints import Hint, hints_of
from modules.prompts.symbols import symbols_of
from modules.prompts.token_count import Reading, count_tokens
from modules.shared import opts
from webui import checkpoint_facts as suits
from webui.components import hidden_button, html
from webui.listeners import Component, Script, Values, on
from webui.tabs.drawing.form import Form

HINTS = '<p class="sd-plain-words" data-marks="{marks}">{words}</p>'
HINTS_SHOWN = 3
TOKENS = '<span class="sd-tokens">{count}</span>'
PASTE = (
    '<button type="button" class="sd-paste" id="paste" data-take="paste" '
    'aria-label="Take settings over from the infotext in the prompt, or from the last picture" '
    'title="Take settings over: from the infotext in the prompt, else from the last picture"></button>'
)
# The script fills the drawer when it is opened (`assets/prompts/cards.js`).
CARDS = (
    '<button type="button" class="sd-cards-open" data-cards aria-expanded="false" aria-controls="{drawer}" '
    'aria-label="LoRAs and embeddings" title="LoRAs and embeddings: put them into the prompt"></button>'
)
DRAWER = '<div class="sd-cards" id="{drawer}" hidden></div>'


@dataclass(frozen=True)
class Prompt:
    """A prompt's field, how many tokens it has, and what of it is worth a second look."""

    field: Component
    tokens: Component
    hints: Component
    negative: bool = False


def build(form: Form) -> tuple[Prompt, ...]:
    """Make both prompts."""
    html(CARDS.format(drawer=form.id("cards")), classes=["sd-counter"])
    html(PASTE, classes=["sd-counter"])
    tokens = html(TOKENS.format(count="0 / 75"), form.id("token_counter"), ["sd-counter"])
    field = gr.Textbox("", label="Prompt", lines=3, max_lines=12, elem_id=form.id("prompt"), elem_classes=["sd-prompt"],
                       placeholder="What should be in the picture")  # fmt: skip
    prompt = Prompt(form.add("prompt", field), tokens, html("", form.id("hints"), ["sd-plain"]))
    html(DRAWER.format(drawer=form.id("cards")))
    tokens = html(TOKENS.format(count="0 / 75"), form.id("negative_token_counter"), ["sd-counter"])
    field = gr.Textbox("", label="Negative prompt", lines=1, max_lines=8, elem_id=form.id("neg_prompt"),
                       elem_classes=["sd-neg-prompt"], placeholder="What should not be there")  # fmt: skip
    hints = html("", form.id("negative_hints"), ["sd-plain"])
    negative = Prompt(form.add("negative_prompt", field), tokens, hints, negative=True)
    example = hidden_button("Example", form.id("example"))
    on(example.click, None, outputs={"prompt": prompt.field}, script=Script("chosenExample", form.prefix))
    return prompt, negative


def wire(prompts: tuple[Prompt, ...], checkpoint: Component, catalogue: CheckpointCatalogue) -> None:
    """Count anew when a prompt or the checkpoint changes."""

    def listener(negative: bool) -> Callable[[Values, gr.Request], Values]:
        def count(values: Values, _asker: gr.Request) -> Values:
            return {"tokens": shown_count(catalogue, values["text"], values["checkpoint"], negative),
                    "hints": shown_hints(values["text"], negative, catalogue.library.wildcards.now())}  # fmt: skip

        return count

    for one in prompts:
        for changed in (one.field, checkpoint):
            on(changed.change, listener(one.negative), {"text": one.field, "checkpoint": checkpoint},
               {"tokens": one.tokens, "hints": one.hints}, trigger_mode="always_last")  # fmt: skip


def shown_count(catalogue: CheckpointCatalogue, text: object, name: str, negative: bool = False) -> str:
    """Return how many tokens a prompt has for the model named, as the page shows it; nothing where none can say.

    No job takes a longer text than is counted here: counting 30 MB would keep a core for half a minute.
    """
    checkpoint = suits.chosen(catalogue, name or "")
    if checkpoint is None or checkpoint.tokenizer_file is None:
        return ""
    try:
        tokens = count_tokens(
            checkpoint.tokenizer_file, str(text or "")[:PROMPT_LONGEST], _reading(catalogue, checkpoint, negative)
        )
    except ModelError:
        return ""  # The job says it, with the remedy; here each key would.
    return TOKENS.format(count=tokens)


def _reading(catalogue: CheckpointCatalogue, checkpoint: Checkpoint, negative: bool) -> Reading:
    settings, in_chunks = opts.values, takes_embeddings(checkpoint)
    words = catalogue.networks.words() if in_chunks else {}
    embeddings = {
        word: (file.network and file.network.vectors) or 1
        for word, file in words.items()
        if file.problem is None and why_embedding_does_not_fit(file, checkpoint) is None
    }
    return Reading(
        chunked=in_chunks,
        negative=negative,
        comments=settings.enable_prompt_comments,
        emphasis=settings.emphasis,
        comma_backtrack=settings.comma_padding_backtrack,
        old_editing=settings.use_old_scheduling,
        embeddings=embeddings,
        spell_out=functools.partial(symbols_of(checkpoint.path, checkpoint.stamp).spell_out, kept=embeddings),
    )


def shown_hints(text: object, negative: bool = False, wildcards: Lookup | None = None) -> str:
    """Return what the page says of brackets that do not close, and of what may mean something else than it seems to.

    With `wildcards` also of those that are not there.
    """
    written, comments = str(text or "")[:PROMPT_LONGEST], opts.values.enable_prompt_comments
    found = hints_of(written, negative=negative, comments=comments)
    told = [hint.message for hint in found[:HINTS_SHOWN]]
    if wildcards is not None and opts.values.dynamic_prompts:
        told += filter(None, [describe_missing(without_comments(written) if comments else written, wildcards)])
    words = " ".join(dict.fromkeys(told))
    return HINTS.format(words=escaping.escape(words), marks=marks_of(written, found)) if words else ""


def marks_of(text: str, hints: Sequence[Hint]) -> str:
    """Return where hints are in a text, as browsers count letters, for `assets/prompts/marks.js`: "17:0-1,4-7".

    In front is the length of the whole text, by which an answer to an earlier one is known.
    """

    def place(of: int) -> int:
        return len(text[:of].encode("utf-16-le", "surrogatepass")) // 2

    return f"{place(len(text))}:" + ",".join(f"{place(hint.start)}-{place(hint.end)}" for hint in hints)
