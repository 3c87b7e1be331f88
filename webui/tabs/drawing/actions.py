"""The buttons of a drawing tab that stop, and their listeners; what the others do is in the page's scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from modules.errors import SteadyError
from modules.jobs.rows import RequestKind
from modules.shared import opts
from webui.actors import Stop, actor
from webui.components import hidden_button, html
from webui.listeners import Component, Script, ScriptName, Values, on

MENU = """
<span class="sd-menu-holder">
  <button type="button" class="sd-more" id="{prefix}_more" aria-haspopup="menu" aria-expanded="false"
    aria-label="More ways to draw and to stop" title="More">▾</button>
  <div class="sd-menu" id="{prefix}_menu" role="menu" hidden>
    <button type="button" role="menuitem" data-press="{prefix}_pause" data-for="mine" class="sd-narrow"
      >Pause this job</button>
    <button type="button" role="menuitem" data-press="{prefix}_stop_after" data-for="mine other"
      >Stop after this image</button>
    <button type="button" role="menuitem" data-press="{prefix}_skip" data-for="other"
      >Skip this image</button>
    <button type="button" role="menuitem" data-press="{prefix}_pause" data-for="other"
      >Pause this job</button>
    <button type="button" role="menuitem" data-press="{prefix}_interrupt" data-for="other"
      >Interrupt this job</button>
    <button type="button" role="menuitemcheckbox" aria-checked="false" id="{prefix}_forever"
      >Generate forever</button>
    <button type="button" role="menuitem" data-press="{prefix}_interrupt" data-for="paused" class="sd-stop-item"
      >Cancel this job</button>
  </div>
</span>
"""


@dataclass(frozen=True)
class Actions:
    """The buttons with a listener on the server."""

    prefix: str
    generate: Component
    generate_forever: Component
    interrupt: Component
    skip: Component
    stop_after: Component


def build(prefix: str) -> Actions:
    """Make the buttons, with the menu beside them."""
    with gr.Row(elem_id=f"{prefix}_actions", elem_classes=["sd-actions"]):
        gr.Button("Resume", variant="primary", elem_id=f"{prefix}_resume", elem_classes=["sd-resume"])
        generate = gr.Button("Generate", variant="primary", elem_id=f"{prefix}_generate", elem_classes=["sd-generate"])
        interrupt = gr.Button("Interrupt", elem_id=f"{prefix}_interrupt", elem_classes=["sd-stop", "sd-interrupt"])
        skip = gr.Button("Skip", elem_id=f"{prefix}_skip", elem_classes=["sd-quiet", "sd-skip"])
        gr.Button("Go on", elem_id=f"{prefix}_queue_go_on", elem_classes=["sd-quiet", "sd-go-on"])
        gr.Button("Pause", elem_id=f"{prefix}_pause", elem_classes=["sd-quiet", "sd-tool", "sd-pause"], min_width=42)
        gr.Button("Add to queue", elem_id=f"{prefix}_enqueue", elem_classes=["sd-quiet", "sd-enqueue"])
        html(MENU.format(prefix=prefix), classes=["sd-menu-cell"])
    return Actions(
        prefix=prefix,
        generate=generate,
        generate_forever=hidden_button("Generate forever", f"{prefix}_generate_forever"),
        interrupt=interrupt,
        skip=skip,
        stop_after=hidden_button("Stop after this image", f"{prefix}_stop_after"),
    )


# What a press of a button means, with what the page sent: the request, and the id of the job or "".
Meaning = Callable[[str], tuple[RequestKind, str]]


def wire_stopping(actions: Actions, job: Component, owner: Component, refusal: Component, stop: Stop) -> None:
    """Make the buttons stop what they are to stop.

    The job is the one that the page shows at the click: what the text `job` holds is never read.
    """
    buttons: tuple[tuple[Component, Meaning, ScriptName], ...] = (
        (actions.interrupt, _interrupt, "interrupting"),
        (actions.skip, lambda job: ("skip", job), "shownJob"),
        (actions.stop_after, lambda job: ("stop", job), "shownJob"),
    )
    for button, meaning, script in buttons:
        asked = on(button.click, _asking(stop, meaning), {"job": job, "owner": owner}, {"refusal": refusal},
                   Script(script, actions.prefix), trigger_mode="multiple")  # fmt: skip
        on(asked.then, None, {"refusal": refusal}, script=Script("refused", actions.prefix))


def _asking(stop: Stop, meaning: Meaning) -> Callable[[Values, gr.Request], Values]:
    def ask(values: Values, asker: gr.Request) -> Values:
        """Return why it may not be, as JSON for the page's scripts; "" when it was done."""
        job = values["job"]
        if not (job is None or isinstance(job, str)):
            return {"refusal": json.dumps({"message": "This is no job: load the page again."})}
        kind, name = meaning(job or "")
        try:
            stop(kind, name or None, actor(values["owner"], asker))
        except SteadyError as error:
            return {"refusal": json.dumps({"message": str(error)})}
        return {"refusal": ""}

    return ask


def _interrupt(job: str) -> tuple[RequestKind, str]:
    """With A1111's setting `interrupt_after_current` the first click waits for the image; the second never."""
    click, _, name = job.partition(" ")
    return "stop" if click == "first" and opts.values.interrupt_after_current else "interrupt", name
