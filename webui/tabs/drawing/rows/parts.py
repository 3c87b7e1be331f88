"""VAE, text encoders, clip skip and refiner: a row of a drawing tab that stays closed until it is needed."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import gradio as gr

from modules.jobs.kinds.base import Emphasis
from modules.jobs.kinds.choice import MODULES
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.places import COMPANIONS
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from webui.checkpoint_facts import MOST_LISTED
from webui.components import html
from webui.tabs.drawing.form import Form

# "" leaves it to the settings.
_AS_SET = ("As in the settings", "")
_VAES = [_AS_SET, ("Automatic: by the checkpoint's name", AUTOMATIC), ("None: the checkpoint's own", NONE)]
_NO_REFINER = ("None", NONE)
_SKIPS = [_AS_SET, *((str(number), str(number)) for number in range(1, 13))]
_EMPHASES = [_AS_SET, *((mode, mode) for mode in get_args(Emphasis))]
_EDITING = [_AS_SET, ("New timelines", "False"), ("Old timelines, as before A1111 1.6", "True")]
_BUTTON = (
    '<button type="button" class="sd-parts-button" data-parts aria-expanded="false" aria-controls="{more}">'
    '<span>VAE, text encoders, clip skip, refiner</span><span class="sd-parts-set"></span></button>'
)


def parts(form: Form) -> None:
    """Make the fields for other parts of a model, and for its refiner, behind a button that tells what is set."""
    html(_BUTTON.format(more=form.id("parts")))
    with gr.Column(elem_id=form.id("parts"), elem_classes=["sd-parts"]):
        with gr.Row(elem_classes=["sd-two"]):
            vae = gr.Dropdown(
                _VAES, value="", label="VAE", elem_id=form.id("vae"), min_width=0, filterable=False,
                info="Colours and fine detail of the picture.",
            )  # fmt: skip
            skip = gr.Dropdown(
                _SKIPS, value="", label="Clip skip", elem_id=form.id("clip_skip"), min_width=0, filterable=False,
                info="2 for many anime models, on SD 1 alone.",
            )  # fmt: skip
        by_hand = gr.Dropdown(
            [], value=[], label="Text encoders and VAE beside the model", elem_id=form.id("modules"), multiselect=True,
            info="For models without their own. Empty: found by what they do.",
        )  # fmt: skip
        with gr.Row(elem_classes=["sd-two"]):
            refiner = gr.Dropdown(
                [_NO_REFINER], value=NONE, label="Refiner", elem_id=form.id("refiner"), min_width=0, filterable=False,
                info="A second model for the last steps.",
            )  # fmt: skip
            switch = gr.Slider(
                0, 1, 0.8, step=0.05, label="Refiner switch at", elem_id=form.id("refiner_switch_at"), min_width=0,
                info="The part of the steps before it.",
            )  # fmt: skip
        with gr.Row(elem_classes=["sd-two"]):
            emphasis = gr.Dropdown(
                _EMPHASES, value="", label="Emphasis", elem_id=form.id("emphasis"), min_width=0, filterable=False,
                info="How weights of words count.",
            )  # fmt: skip
            editing = gr.Dropdown(
                _EDITING, value="", label="Prompt editing", elem_id=form.id("prompt_editing"), min_width=0,
                filterable=False, info="When [from:to:when] changes.",
            )  # fmt: skip
    form.add("sd_vae", vae)
    form.add("CLIP_stop_at_last_layers", skip)
    form.add(MODULES, by_hand)
    form.add("refiner_checkpoint", refiner)
    form.add("refiner_switch_at", switch)
    form.add("emphasis", emphasis)
    form.add("use_old_scheduling", editing)


def vaes(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of VAEs as it is now."""
    return {"choices": [*_VAES, *((vae.name, vae.name) for vae in catalogue.vaes.list() if vae.problem is None)]}


def refiners(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of refiners as it is now."""
    return checkpoints_after(_NO_REFINER, catalogue)


def checkpoints_after(first: tuple[str, str], catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return a list of the checkpoints as they are now. Of thousands not all are listed: a name can be typed."""
    usable = (one for one in catalogue.list() if one.problem is None)
    checkpoints = [(one.title, one.name) for one in itertools.islice(usable, MOST_LISTED)]
    more = len(checkpoints) == MOST_LISTED
    return {"choices": [first, *checkpoints], "filterable": more, "allow_custom_value": more}


def beside(catalogue: CheckpointCatalogue) -> dict[str, Any]:
    """Return the list of text encoders and VAEs that can be chosen by hand as it is now."""
    files = itertools.chain.from_iterable(catalogue.files.list(kind) for kind in COMPANIONS)
    usable = (file for file in files if file.problem is None)
    return {"choices": [(file.name_without_suffix, file.name) for file in itertools.islice(usable, MOST_LISTED)]}
