"""The txt2img tab: a prompt and its controls on one side, the picture on the other."""

from __future__ import annotations

import html as escaping
import json
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from modules.errors import IdTaken, InvalidRequest, ModelError, SteadyError
from modules.jobs.answers import job_answer
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.rows import Actor, RequestKind
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from modules.jobs.store.job_store import JobStore
from modules.jobs.submission import Wishes, check_request
from modules.jobs.submission import submit as submit_job
from modules.prompts.plain_syntax import describe_plain_syntax
from modules.prompts.symbols import symbols_of
from modules.prompts.token_count import count_tokens
from modules.shared import opts
from webui import checkpoint_facts as suits
from webui import takeover
from webui.actors import Stop, actor
from webui.components import Component, Values, hidden_button, hidden_text, html, on, tool_button
from webui.header import Header
from webui.live import MENU, PASTE, PLAIN, SIZES, STAGE, TAKEN, TOKENS


@dataclass(frozen=True)
class Txt2Img:
    """The components of the tab. `fields` are those that make the request, by the names of its fields."""

    fields: dict[str, Component]
    prompt_tokens: Component
    negative_tokens: Component
    prompt_plain: Component
    negative_plain: Component
    generate: Component
    generate_forever: Component
    interrupt: Component
    skip: Component
    stop_after: Component
    swap: Component
    random_seed: Component
    reuse_seed: Component
    size_chip: Component
    take: Component
    take_back: Component
    taken: Component
    example: Component
    retry_of: Component
    adopt_defaults: Component
    answer: Component
    refusal: Component
    job: Component


def build(checkpoint: Checkpoint | None) -> Txt2Img:
    """Make the tab's components, with what suits `checkpoint` as the first values."""
    fields: dict[str, Component] = {}
    with gr.Row(elem_id="txt2img_page", elem_classes=["sd-page"]):
        with gr.Column(elem_id="txt2img_controls", elem_classes=["sd-controls"]):
            with gr.Column(elem_classes=["sd-panel", "sd-prompts"]):
                html(PASTE, classes=["sd-counter"])
                prompt_tokens = html(TOKENS.format(count="0 / 75"), "txt2img_token_counter", ["sd-counter"])
                fields["prompt"] = gr.Textbox(label="Prompt", lines=3, max_lines=12, elem_id="txt2img_prompt",
                                              placeholder="What should be in the picture")  # fmt: skip
                prompt_plain = html("", "txt2img_plain", ["sd-plain"])
                negative_tokens = html(TOKENS.format(count="0 / 75"), "txt2img_negative_token_counter", ["sd-counter"])
                fields["negative_prompt"] = gr.Textbox(label="Negative prompt", lines=1, max_lines=8,
                                                       elem_id="txt2img_neg_prompt",
                                                       placeholder="What should not be there")  # fmt: skip
                negative_plain = html("", "txt2img_negative_plain", ["sd-plain"])
                with gr.Row(elem_id="txt2img_actions", elem_classes=["sd-actions"]):
                    gr.Button("Resume", variant="primary", elem_id="txt2img_resume")
                    generate = gr.Button("Generate", variant="primary", elem_id="txt2img_generate")
                    interrupt = gr.Button("Interrupt", elem_id="txt2img_interrupt", elem_classes=["sd-stop"])
                    skip = gr.Button("Skip", elem_id="txt2img_skip", elem_classes=["sd-quiet"])
                    gr.Button("Go on", elem_id="txt2img_queue_go_on", elem_classes=["sd-quiet"])
                    gr.Button("Pause", elem_id="txt2img_pause", elem_classes=["sd-quiet", "sd-tool"], min_width=42)
                    gr.Button("Add to queue", elem_id="txt2img_enqueue", elem_classes=["sd-quiet"])
                    html(MENU, classes=["sd-menu-cell"])
                html(TAKEN, classes=["sd-taken-cell"])
            with gr.Column(elem_classes=["sd-panel", "sd-fields"]):
                swap, random_seed, reuse_seed = _fields_of_the_picture(fields, checkpoint)
        with gr.Column(elem_id="txt2img_results", elem_classes=["sd-results"]):
            html(STAGE)
    return Txt2Img(
        fields=fields,
        prompt_tokens=prompt_tokens,
        negative_tokens=negative_tokens,
        prompt_plain=prompt_plain,
        negative_plain=negative_plain,
        generate=generate,
        interrupt=interrupt,
        skip=skip,
        swap=swap,
        random_seed=random_seed,
        reuse_seed=reuse_seed,
        generate_forever=hidden_button("Generate forever", "txt2img_generate_forever"),
        stop_after=hidden_button("Stop after this image", "txt2img_stop_after"),
        size_chip=hidden_button("Size", "txt2img_size_chip"),
        take=hidden_button("Take settings over", "txt2img_take"),
        take_back=hidden_button("Take back what was taken over", "txt2img_take_back"),
        taken=hidden_text("txt2img_taken_over"),
        example=hidden_button("Example", "txt2img_example"),
        retry_of=hidden_text("txt2img_retry_of"),
        adopt_defaults=hidden_button("Adopt the model's defaults", "txt2img_adopt_defaults"),
        answer=hidden_text("txt2img_answer"),
        refusal=hidden_text("txt2img_refusal"),
        job=hidden_text("txt2img_job"),
    )


def _fields_of_the_picture(
    fields: dict[str, Component], checkpoint: Checkpoint | None
) -> tuple[Component, Component, Component]:
    """Make the second panel; return the buttons swap, random seed and reuse seed."""
    defaults = checkpoint.defaults if checkpoint else None
    width = checkpoint.native_width if checkpoint else suits.NO_MODEL_SIZE
    height = checkpoint.native_height if checkpoint else suits.NO_MODEL_SIZE
    with gr.Row(elem_classes=["sd-two"]):
        fields["sampler_name"] = gr.Dropdown(
            [sampler.name for sampler in SAMPLERS], label="Sampling method", elem_id="txt2img_sampling", min_width=0,
            value=defaults.sampler_name if defaults else suits.FALLBACK_SAMPLER, filterable=False,
        )  # fmt: skip
        fields["scheduler"] = gr.Dropdown(
            [schedule.label for schedule in SCHEDULES], label="Schedule type", elem_id="txt2img_scheduler", min_width=0,
            value=defaults.scheduler if defaults else suits.FALLBACK_SCHEDULE, filterable=False,
        )  # fmt: skip
    fields["steps"] = gr.Slider(1, 150, defaults.steps if defaults else suits.FALLBACK_STEPS, step=1, label="Steps",
                                elem_id="txt2img_steps")  # fmt: skip
    fields["cfg_scale"] = gr.Slider(1, 30, defaults.cfg_scale if defaults else suits.FALLBACK_CFG_SCALE, step=0.5,
                                    label="CFG scale", elem_id="txt2img_cfg_scale")  # fmt: skip
    with gr.Row(elem_classes=["sd-size"]):
        fields["width"] = gr.Number(width, label="Width", elem_id="txt2img_width", step=8, min_width=0)
        swap = tool_button("⇄", "txt2img_res_switch_btn")
        fields["height"] = gr.Number(height, label="Height", elem_id="txt2img_height", step=8, min_width=0)
    html(SIZES)
    with gr.Row(elem_classes=["sd-two"]):
        fields["n_iter"] = gr.Slider(1, 100, 1, step=1, label="Batch count", elem_id="txt2img_batch_count", min_width=0)
        fields["batch_size"] = gr.Slider(
            1, 16, 1, step=1, label="Batch size", elem_id="txt2img_batch_size", min_width=0
        )
    with gr.Row(elem_classes=["sd-seed"]):
        # A text: a number field drops letters in silence, and a browser's numbers end at 2^53.
        fields["seed"] = gr.Textbox("-1", label="Seed", elem_id="txt2img_seed", min_width=0, max_lines=1)
        random_seed = tool_button("⚄", "txt2img_random_seed")
        reuse_seed = tool_button("♺", "txt2img_reuse_seed")
    return swap, random_seed, reuse_seed


def wire(tab: Txt2Img, header: Header, store: JobStore, catalogue: CheckpointCatalogue, stop: Stop) -> None:
    """Join buttons and fields with the job store, and the buttons that stop a job with `stop`."""
    _wire_generate(tab, header, store, catalogue)
    _wire_stopping(tab, header, stop)
    _wire_fields(tab, header)
    _wire_takeover(tab, header, store, catalogue)
    _wire_tokens(tab, header, catalogue)


def _wire_generate(tab: Txt2Img, header: Header, store: JobStore, catalogue: CheckpointCatalogue) -> None:
    def generate(values: Values, asker: gr.Request, forever: bool = False) -> str:
        request = {name: values[component] for name, component in tab.fields.items()}
        if values[header.checkpoint]:
            request["override_settings"] = {"sd_model_checkpoint": values[header.checkpoint]}
        who = actor(values[header.owner], asker)
        return submit(store, catalogue, request, who, _id(values[tab.job]), forever, _id(values[tab.retry_of]))

    def generate_forever(values: Values, asker: gr.Request) -> str:
        return generate(values, asker, forever=True)

    inputs = {*tab.fields.values(), header.checkpoint, header.owner, tab.job, tab.retry_of}
    order = sorted(component._id for component in inputs)  # in which Gradio hands them on
    job, edited = order.index(tab.job._id), order.index(tab.retry_of._id)
    named = f"""(...values) => {{
        values[{job}] = window.steady.newJob();
        values[{edited}] = window.steady.takeEdited();
        return values;
    }}"""
    for button, begin in ((tab.generate, generate), (tab.generate_forever, generate_forever)):
        sent = on(button.click, begin, inputs, tab.answer, js=named, trigger_mode="multiple")
        on(sent.then, None, tab.answer, None, js="(answer) => { window.steady.answered(answer); return []; }")


def _id(sent: object) -> str | None:
    return str(sent) if sent else None


def submit(
    store: JobStore,
    catalogue: CheckpointCatalogue,
    request: dict[str, object],
    who: Actor,
    identity: str | None = None,
    forever: bool = False,
    retry_of: str | None = None,
) -> str:
    """Queue a job. Return JSON for the page: {"job": …}, or {"message": …, "field": …} and nothing was queued.

    `identity` is the id that the page gave it: a request that was sent twice, over a lost connection, is one job.
    `retry_of` is the job that was put into the fields and edited: if it still waits, this one takes its place.
    """
    try:
        valid = check_request("txt2img", request, catalogue, opts.values)
        replaces = _replaceable(store, retry_of, who)
        job = submit_job(store, valid, Wishes(who.owner, 0, forever, retry_of, replaces), who, identity)
    except InvalidRequest as error:
        return json.dumps({"message": str(error), "field": error.field})
    except IdTaken:
        return json.dumps(
            {"message": f"The id {identity!r} is taken by another job: press Generate again.", "field": None}
        )
    except SteadyError as error:
        return json.dumps({"message": str(error), "field": None})
    return json.dumps({"job": job_answer(job, [])}, default=str)


def _replaceable(store: JobStore, edited: str | None, who: Actor) -> str | None:
    """Return the edited job if this owner may take it out of the queue, to put the new one in its place."""
    job = store.jobs.get(edited) if edited and (opts.values.only_own_jobs or who.only_own) else None
    return edited if job is None or job.owner == who.owner else None


def _wire_stopping(tab: Txt2Img, header: Header, stop: Stop) -> None:
    def asking(meant: Callable[[str], tuple[RequestKind, str]]) -> Callable[[str, str, gr.Request], str]:
        def ask(job: object, owner: str, asker: gr.Request) -> str:
            """Return why it may not be, as JSON for the page's scripts; "" when it was done."""
            if not (job is None or isinstance(job, str)):
                return json.dumps({"message": "This is no job: load the page again."})
            kind, name = meant(job or "")
            try:
                stop(kind, name or None, actor(owner, asker))
            except SteadyError as error:
                return json.dumps({"message": str(error)})
            return ""

        return ask

    def interrupt(job: str) -> tuple[RequestKind, str]:
        """With A1111's setting `interrupt_after_current` the first click waits for the image; the second never."""
        click, _, name = job.partition(" ")
        return "stop" if click == "first" and opts.values.interrupt_after_current else "interrupt", name

    def skip(job: str) -> tuple[RequestKind, str]:
        return "skip", job

    def stop_after(job: str) -> tuple[RequestKind, str]:
        return "stop", job

    # The job is the one that the page shows at the click: what the fields hold is never read.
    shown = "(job, owner) => [window.steady.shownJob(), owner]"
    interrupting = "(job, owner) => [window.steady.interrupting(), owner]"
    for button, meant, js in (
        (tab.interrupt, interrupt, interrupting), (tab.skip, skip, shown), (tab.stop_after, stop_after, shown),
    ):  # fmt: skip
        inputs = [tab.job, header.owner]
        asked = on(button.click, asking(meant), inputs, tab.refusal, js=js, trigger_mode="multiple")
        on(asked.then, None, tab.refusal, None, js="(refusal) => { window.steady.refused(refusal); return []; }")


def _wire_fields(tab: Txt2Img, header: Header) -> None:
    """The small helpers. Most need no server: Gradio runs their JavaScript and puts what it returns into the fields."""
    fields = tab.fields
    size = [fields["width"], fields["height"]]
    on(tab.swap.click, None, size, size, js="(width, height) => [height, width]")
    on(tab.size_chip.click, None, None, size, js="() => window.steady.chosenSize()")
    on(tab.random_seed.click, None, None, fields["seed"], js="() => '-1'")
    on(tab.reuse_seed.click, None, fields["seed"], fields["seed"], js="(seed) => window.steady.shownSeed(seed)")
    pair = [fields["sampler_name"], fields["scheduler"]]
    on(fields["sampler_name"].change, None, pair, fields["scheduler"],
       js="(sampler, schedule) => window.steady?.fitSchedule(sampler, schedule) ?? schedule")  # fmt: skip
    on(fields["scheduler"].change, None, fields["scheduler"], None,
       js="(schedule) => { window.steady?.choseSchedule(schedule); return []; }")  # fmt: skip
    on(tab.example.click, None, None, fields["prompt"], js="() => window.steady.chosenExample()")
    suited = [fields[name] for name in ("steps", "cfg_scale", "sampler_name", "scheduler", "width", "height")]
    on(tab.adopt_defaults.click, None, [header.checkpoint, *suited], suited,
       js="(...values) => window.steady.adoptDefaults(...values)")  # fmt: skip
    remember = "(...values) => { window.steady?.remember(values); return []; }"
    for component in fields.values():
        on(component.change, None, list(fields.values()), None, js=remember)


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


def _wire_takeover(tab: Txt2Img, header: Header, store: JobStore, catalogue: CheckpointCatalogue) -> None:
    """Settings of an infotext, a picture or an earlier job go into the fields, and can be taken back."""

    def take(source: object, owner: str, asker: gr.Request) -> str:
        return takeover.answer(source, actor(owner, asker), store, catalogue)

    everything = [header.checkpoint, *tab.fields.values()]
    asked = on(tab.take.click, take, [tab.taken, header.owner], tab.taken, trigger_mode="multiple",
               js="(taken, owner) => [window.steady.takeFrom(), owner]")  # fmt: skip
    on(asked.then, None, [tab.taken, *everything], everything,
       js=f"(taken, ...values) => window.steady.tookOver({list(tab.fields)!r}, taken, values)")  # fmt: skip
    on(tab.take_back.click, None, everything, everything, js="(...values) => window.steady.takenBack(values)")


def _wire_tokens(tab: Txt2Img, header: Header, catalogue: CheckpointCatalogue) -> None:
    def count(text: str, name: str) -> list[str]:
        return [shown_count(catalogue, text, name), shown_plain(text)]

    for text, counter, plain in (
        ("prompt", tab.prompt_tokens, tab.prompt_plain),
        ("negative_prompt", tab.negative_tokens, tab.negative_plain),
    ):
        inputs = [tab.fields[text], header.checkpoint]
        on(tab.fields[text].change, count, inputs, [counter, plain], trigger_mode="always_last")
        on(header.checkpoint.change, count, inputs, [counter, plain], trigger_mode="always_last")
