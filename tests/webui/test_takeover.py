"""Settings of an infotext, a picture or a job, as the page's scripts get them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from modules.images import noise_pairs
from modules.images.infotext import write
from modules.images.picture_info import read_parameters
from modules.images.png import encode_png
from modules.images.taken_parts import UNSAID
from modules.jobs.kinds.base import PictureWords, Words
from modules.jobs.kinds.grid.layout import Layout
from modules.jobs.kinds.grid.resolved import Cell, ResolvedGrid
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options, Settings
from modules.paths import ROOT
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.style import Style
from modules.prompts.styles.style_files import StyleFiles
from modules.prompts.symbols import read_symbols
from tests.jobs.made_jobs import resolved_job as resolved
from webui import takeover
from webui.takeover import answer

INFOTEXT = "a cat\nSteps: 5, Sampler: Euler, CFG scale: 7, Seed: 9007199254740993, Size: 64x64"


@pytest.fixture
def ask(store: JobStore, catalogue: CheckpointCatalogue) -> Any:
    def asked(kind: str, owner: str = "me", guest: bool = False, **data: Any) -> dict[str, Any]:
        who = Actor(owner, "127.0.0.1", only_own=guest)
        told: dict[str, Any] = json.loads(answer(json.dumps({"kind": kind, **data}), who, store, catalogue))
        return told

    return asked


def said(told: dict[str, Any]) -> dict[str, Any]:
    """The values that are no more than what was said."""
    values = {name: value for name, value in told["values"].items() if name not in {**UNSAID, **noise_pairs.UNSAID}}
    return {name: value for name, value in values.items() if (name, value) not in (("styles", []), ("script", ""))}


def test_a_seed_is_handed_on_as_text_for_a_browsers_numbers_end_earlier(ask: Any) -> None:
    told = ask("text", text=INFOTEXT)
    assert told["values"]["seed"] == "9007199254740993"
    assert (told["kind"], told["values"]["prompt"], told["left"]) == ("text", "a cat", [])
    assert told["taken"] == [
        "Prompt", "Negative prompt", "Steps", "Sampling method", "Schedule type", "CFG scale", "Size", "Seed",
    ]  # fmt: skip


def test_what_a_picture_was_drawn_without_is_taken_out_of_the_fields(ask: Any) -> None:
    told = ask("text", text=f"{INFOTEXT}, Module 1: gone")
    assert {"sd_vae": "Automatic", "CLIP_stop_at_last_layers": "1", "refiner_checkpoint": "None"}.items() <= told[
        "values"
    ].items()
    assert told["values"]["forge_additional_modules"] == []
    assert told["left"] == [
        ["Text encoders and VAE beside the model", "gone", "is not here; it is found by what it does"]
    ]
    assert ask("text", text=f"{INFOTEXT}, Clip skip: 2")["values"]["CLIP_stop_at_last_layers"] == "2"


def test_a_text_without_settings_is_refused_in_words(ask: Any) -> None:
    assert "holds no settings" in ask("text", text="just a prompt")["problem"]


@pytest.mark.parametrize(
    "source", ["", "[1]", "null", "[" * 100_000, '{"kind": "job"}', '{"kind": "text", "text": 3}', 5, ["a"], {"a": 1}]
)
def test_what_no_page_sends_is_told_and_does_no_harm(
    source: object, store: JobStore, catalogue: CheckpointCatalogue
) -> None:
    assert "problem" in json.loads(answer(source, Actor("me", "127.0.0.1"), store, catalogue))


def test_a_picture_is_read_with_its_own_json(ask: Any) -> None:
    trap = "a sign\nNegative prompt: of a shop"
    told = ask("picture", settings=write(resolved(prompt=trap), 0), own={"prompt": trap, "negative_prompt": ""})
    assert (told["values"]["prompt"], told["checkpoint"]) == (trap, "emoji")
    own = {"prompt": "made up", "steps": 9}
    alone = ask("picture", settings="", own=own)
    assert (alone["values"]["prompt"], alone["values"]["steps"]) == ("made up", 9)


def test_words_that_the_model_reads_otherwise_today_are_told(ask: Any, store: JobStore) -> None:
    """Of a picture's file, and of a job's row."""
    digest = read_symbols(ROOT / "models" / "Stable-diffusion" / "emoji").digest

    def told_of(names: str) -> list[list[str]]:
        resolved_png = encode_png(Image.new("RGB", (1, 1)), INFOTEXT, {"prompt": "🦄", "spelling": {"emoji": names}})
        found = read_parameters(resolved_png)
        told = ask("picture", settings=found.settings, own=found.parameters)
        job = store.queue.submit("txt2img", {"prompt": "🦄"}, "me").id
        assert store.claims.claim("engine/1") is not None
        drawn = resolved(environment={"torch": "2", "spelling:emoji": names})
        store.claims.set_resolved(job, drawn.model_dump(mode="json"))
        store.images.reserve(job, 0, seed=0, width=64, height=64, save=True)
        store.images.complete(job, 0, INFOTEXT)
        store.claims.finish(job, "done")
        assert ask("reuse", job=job)["left"] == told["left"]
        return list(told["left"])

    assert told_of(digest) == []
    ((label, name, why),) = told_of("0123456789")
    assert (label, name) == ("Checkpoint", "emoji") and why.startswith("reads other names for words of its prompts")
    assert "words.json and symbols.json" in why


def test_what_of_a_picture_has_no_place_here_is_told_with_the_rest(ask: Any) -> None:
    left = [
        ["ControlNet", "1 of them", "belongs to InvokeAI"],
        "no list",
        ["too", "short"],
        [5, None, {"a": "x" * 999}],
    ]
    told = ask("picture", settings=INFOTEXT, left=left)
    assert told["left"][0] == ["ControlNet", "1 of them", "belongs to InvokeAI"]
    assert told["left"][1][:2] == ["5", "None"] and len(told["left"]) == 2


def test_fields_of_keys_that_are_skipped_stay_as_they_are(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"{INFOTEXT}, Model: gone, Clip skip: 2, Denoising strength: 0.5, Hires upscale: 2, ControlNet 0: x"
    whole = ask("text", text=said)
    keys = "seed, Size-1,Model hash, VAE, Hires upscale, ControlNet 0, Shift, Styles array, No such"
    monkeypatch.setattr(takeover, "opts", SimpleNamespace(values=Settings(infotext_skip_pasting=keys)))
    told = ask("text", text=said)
    assert whole["values"].keys() - told["values"].keys() == {"seed", "width", "sd_vae", "hr_scale", "shift", "styles"}
    assert {one[0] for one in whole["left"]} - {one[0] for one in told["left"]} == {"Checkpoint", "ControlNet"}
    assert (told["checkpoint"], told["values"]["enable_hr"], "Seed" in told["taken"]) == (None, True, False)
    # What the picture's own JSON says is skipped as well, and a prompt that stays keeps its styles.
    keys = "Prompt, Steps, Model, Clip skip"
    monkeypatch.setattr(takeover, "opts", SimpleNamespace(values=Settings(infotext_skip_pasting=keys)))
    own = {"prompt": "made up", "steps": 9, "seed": 4, "override_settings": {"sd_model_checkpoint": "emoji"}}
    told = ask("picture", settings="", own=own)
    assert not {"prompt", "steps", "CLIP_stop_at_last_layers", "styles"} & told["values"].keys()
    assert (told["values"]["seed"], told["checkpoint"], told["taken"]) == ("4", None, ["Seed"])


def test_a_picture_without_settings_says_whose_it_is(ask: Any) -> None:
    long = ["workflow", "3,000,000 characters", "is longer than the 2,097,152 that are read"]
    problem = ask("picture", settings="", program="ComfyUI", left=[long])["problem"]
    assert problem.startswith("This picture was made by ComfyUI, and no settings are found") and "2,097,152" in problem
    assert "holds no settings" in ask("picture")["problem"]


def test_the_last_job_of_the_owner_and_no_one_elses(ask: Any, store: JobStore) -> None:
    store.queue.submit("txt2img", {"prompt": "mine", "seed": -1}, "me")
    store.queue.submit("txt2img", {"prompt": "theirs", "seed": 3}, "they")
    assert said(ask("last")) == {"prompt": "mine", "seed": "-1"}
    assert "no last picture" in ask("last", owner="nobody")["problem"]


def test_a_shift_is_text_as_its_field_is(ask: Any, store: JobStore) -> None:
    store.queue.submit("txt2img", {"prompt": "a", "shift": 1.5, "distilled_cfg_scale": 3.5}, "me")
    assert {"prompt": "a", "shift": "1.5", "distilled_cfg_scale": 3.5}.items() <= ask("last")["values"].items()


def test_an_edited_job_brings_its_counts_and_says_whether_it_waits(ask: Any, store: JobStore) -> None:
    request = {"prompt": "a", "seed": 2**60 + 1, "n_iter": 3, "override_settings": {"sd_model_checkpoint": "gone"}}
    job = store.queue.submit("txt2img", request, "me")
    told = ask("edit", job=job.id)
    assert said(told) == {"prompt": "a", "seed": str(2**60 + 1), "n_iter": 3}
    assert told["values"]["sd_vae"] == "", "as in the settings"
    assert (told["waits"], told["checkpoint"], told["left"][0][0]) == (True, None, "Checkpoint")
    assert "not there any more" in ask("edit", job="never")["problem"]


@pytest.mark.parametrize(
    ("infotext", "sent"),
    [
        (f"{INFOTEXT}, Postprocess upscale by: 2", {"prompt": "a cat", "steps": 5, "seed": "9007199254740993"}),
        ("Postprocess upscale by: 2, Postprocess upscaler: Lanczos", {}),
    ],
)
def test_with_a_picture_that_was_made_larger_goes_what_it_was_once_drawn_with(
    ask: Any, store: JobStore, infotext: str, sent: dict[str, Any]
) -> None:
    request = {"upscaling_resize": 2, "resize_mode": 1, "upscaler_1": "Lanczos", "image": "a.png"}
    job = store.queue.submit("extras", request, "me").id
    store.images.reserve(job, 0, seed=0, width=64, height=64, save=True)
    store.images.complete(job, 0, infotext)
    assert {name: value for name, value in said(ask("send", job=job, index=0)).items() if value} == sent


def test_styles_that_stand_in_prompts_are_chosen_as_the_setting_wants_it(
    ask: Any, catalogue: CheckpointCatalogue, tmp_path: Path, options: Options
) -> None:
    path = tmp_path / "styles.csv"
    catalogue.library = PromptLibrary(StyleFiles([path]))
    catalogue.library.styles.save(Style("ink", "ink of {prompt}", "colour"))
    with_style = INFOTEXT.replace("a cat", "ink of a cat\nNegative prompt: dog, colour")
    told = ask("text", text=with_style)
    of_prompts = ("prompt", "negative_prompt", "styles")
    assert [told["values"].get(name) for name in of_prompts] == ["a cat", "dog", ["ink"]]
    assert "Styles" in told["taken"]
    assert ask("text", text=INFOTEXT)["values"]["styles"] == [], "else those that are chosen would come to it"
    for how, expected in (
        ("Ignore", ["ink of a cat", "dog, colour", None]),
        ("Discard", ["a cat", "dog", None]),
        ("Apply if any", ["a cat", "dog", ["ink"]]),
    ):
        options.update({"infotext_styles": how})
        assert [ask("text", text=with_style)["values"].get(name) for name in of_prompts] == expected
    assert "styles" not in ask("text", text=INFOTEXT)["values"]


def test_a_job_brings_its_styles_as_they_were_chosen(ask: Any, store: JobStore) -> None:
    job = store.queue.submit("txt2img", {"prompt": "a", "styles": ["gone"], "combinatorial": True}, "me")
    assert said(ask("last")) == {"prompt": "a", "styles": ["gone"]}
    assert said(ask("edit", job=job.id)) == {"prompt": "a", "styles": ["gone"], "combinatorial": True}


def test_a_picture_brings_its_own_words_and_what_they_were_made_of(ask: Any) -> None:
    words = Words(
        prompt="a red cat",
        negative_prompt="b",
        each=tuple(PictureWords(prompt=f"a {colour} cat", negative_prompt="b") for colour in ("red", "blue")),
        templates=PictureWords(prompt="a {red|blue} cat", negative_prompt="b"),
    )
    made = resolved(batch_size=2).model_copy(update={"words": words})
    told = ask("text", text=write(made, 1))
    assert not [left for left in told["left"] if "emplate" in left[0]]
    assert told["values"]["prompt"] == "a blue cat"
    assert told["templates"] == {"prompt": "a {red|blue} cat", "negative_prompt": "b", "styles": []}


def test_a_grid_brings_its_script_and_one_of_its_pictures_what_its_cell_was_drawn_from(
    ask: Any, store: JobStore
) -> None:
    arguments = {"x_type": "Prompt S/R", "x_values": "red, blue"}
    request = {"of": "txt2img", "script": "X/Y/Z plot", "script_args": arguments, "prompt": "a red cat", "n_iter": 2}
    job = store.queue.submit("grid", request, "me").id
    told = ask("edit", job=job)["values"]
    assert (told["prompt"], told["n_iter"], told["script"]) == ("a red cat", 2, "X/Y/Z plot")
    assert told["script_args"] == arguments
    cells = [
        Cell(place=(x, 0, 0), drawn=resolved(prompt=f"a {colour} cat", n_iter=2))
        for x, colour in enumerate(("red", "blue"))
    ]
    assert store.claims.claim("engine/1") is not None
    grid = ResolvedGrid.of(Layout(script="X/Y/Z plot"), cells, cells[0].drawn.saving)
    store.claims.set_resolved(job, grid.model_dump(mode="json"))
    store.images.reserve(job, 3, seed=0, width=64, height=64, save=True)
    store.images.complete(job, 3, INFOTEXT)
    told = ask("reuse", job=job, index=3)["values"]
    assert told["prompt"] == "a blue cat", "loss-free, as its cell has it"
    assert "script" not in told, "what is in the fields of a script stays"


def test_a_guest_takes_over_nothing_of_others(ask: Any, store: JobStore) -> None:
    mine, theirs = (store.queue.submit("txt2img", {"prompt": owner}, owner).id for owner in ("me", "they"))
    assert ask("edit", guest=True, job=mine)["values"]["prompt"] == "me"
    for kind in ("edit", "reuse"):
        assert "not there any more" in ask(kind, guest=True, job=theirs)["problem"]


def test_what_has_no_field_on_the_page_is_told_and_not_taken(store: JobStore, catalogue: CheckpointCatalogue) -> None:
    text = f"{INFOTEXT}, Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: Latent, Hires tile: 512"
    source, who = json.dumps({"kind": "text", "text": text}), Actor("me", "127.0.0.1")
    fields = ["enable_hr", "denoising_strength", "hr_scale", "hr_upscaler"]
    told = json.loads(answer(source, who, store, catalogue, fields=fields))
    assert told["left"] == [["hr_tile", "512", "has no field on the page; requests have it"]]
    assert "Hires fix" in told["taken"]
    assert json.loads(answer(source, who, store, catalogue, fields=[*fields, "hr_tile"]))["left"] == []
