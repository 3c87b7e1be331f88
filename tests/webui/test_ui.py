"""The page as Gradio is told it: ids that scripts know, and nothing that would keep a stream open."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from gradio.context import Context

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options, Settings, fields_of_settings
from tests.jobs.made_models import make_model, safetensors_bytes
from tests.webui.conftest import no_stop
from webui.checkpoint_facts import choices, chosen, facts, listed
from webui.components import hidden_text
from webui.header import current
from webui.tabs.drawing.rows import lists
from webui.theme import ASSETS, STYLES, mount_arguments
from webui.ui import create_ui

# On components of Gradio; txt2img_gallery, html_info_txt2img and the live preview are in the stage's own HTML.
A1111_IDS = [
    *("txt2img_prompt", "txt2img_neg_prompt", "txt2img_generate", "txt2img_interrupt", "txt2img_skip", "txt2img_steps"),
    *("txt2img_sampling", "txt2img_scheduler", "txt2img_width", "txt2img_height", "txt2img_res_switch_btn"),
    *("txt2img_batch_count", "txt2img_batch_size", "txt2img_cfg_scale", "txt2img_seed", "txt2img_random_seed"),
    *("txt2img_pause", "txt2img_resume", "settings_restart_engine", "settings_restart_when"),
    *("txt2img_styles", "txt2img_style_apply", "txt2img_styles_edit_button", "img2img_styles"),
    *("txt2img_reuse_seed", "setting_sd_model_checkpoint", "settings_submit", "settings_restart_gradio"),
]
FROM_OUTSIDE = ("photoswipe", "uqr")
IDS_IN_HTML = ("txt2img_gallery", "html_info_txt2img", "txt2img_live_preview", "txt2img_progress")


# Gradio makes an event loop of its own, and never closes it, where none runs: so these tests have one.
@pytest.fixture
async def config(store: JobStore, catalogue: CheckpointCatalogue, options: Options) -> dict[str, Any]:
    built: dict[str, Any] = create_ui(store, catalogue, no_stop).config
    return built


async def test_elements_have_the_ids_that_scripts_know(config: dict[str, Any]) -> None:
    ids = [component["props"].get("elem_id") for component in config["components"]]
    assert [wanted for wanted in A1111_IDS if ids.count(wanted) != 1] == []
    html = "".join(str(component["props"].get("value")) for component in config["components"])
    assert [wanted for wanted in IDS_IN_HTML if html.count(f'id="{wanted}"') != 1] == []


async def test_every_setting_can_be_changed_somewhere(config: dict[str, Any]) -> None:
    ids = {component["props"].get("elem_id") for component in config["components"]}
    assert [one.name for one in fields_of_settings() if f"setting_{one.name}" not in ids] == []


async def test_no_listener_uses_the_queue_or_keeps_a_stream(config: dict[str, Any]) -> None:
    assert [one for one in config["dependencies"] if one["queue"] is not False] == []
    events = {target[1] for one in config["dependencies"] for target in one["targets"]}
    assert not events & {"unload", "stream", "tick"}
    assert not {component["type"] for component in config["components"]} & {"state", "browserstate", "timer"}


async def test_the_same_page_is_built_twice(store: JobStore, catalogue: CheckpointCatalogue, options: Options) -> None:
    def text() -> str:
        Context.id = 0  # as in a new process
        config = create_ui(store, catalogue, no_stop).config
        return json.dumps([config[part] for part in ("components", "layout", "dependencies")], default=str)

    first = text()
    options.update({"live_preview_max_size": 256})
    assert text() == first


async def test_the_page_asks_only_its_own_host() -> None:
    head = mount_arguments("v1", "auto")["head"]
    assert "http:" not in head and "https:" not in head
    assert all((ASSETS / name).exists() for name in STYLES)
    for path in (one for one in ASSETS.rglob("*.*") if one.is_file()):
        links = re.sub(r"http://www\.w3\.org/2000/svg|/\*!.*?\*/", "", path.read_text(), flags=re.DOTALL)
        assert "http://" not in links and "https://" not in links, path.name


def test_scripts_are_short_enough_to_read() -> None:
    scripts = [one for one in ASSETS.rglob("*.js") if one.parent.name not in FROM_OUTSIDE]
    assert len(scripts) > 40
    assert {path.name: lines for path in scripts if (lines := path.read_text().count("\n")) > 250} == {}


def test_of_thousands_the_list_has_the_first_ones_and_the_chosen_one(
    tmp_path: Path, store: JobStore, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.checkpoint_facts.MOST_LISTED", 3)
    for number in range(6):
        make_model(tmp_path / "Stable-diffusion" / f"model-{number}")
    models = CheckpointCatalogue([tmp_path])
    names = [one.name for one in listed(models, models.find("model-5"), 3)]
    assert names == ["model-0", "model-1", "model-2", "model-5"]
    assert [one.name for one in listed(models, models.find("model-1"), 3)] == names[:3]
    shown = current(models, "model-5")
    assert shown["checkpoint"]["value"] == "model-5"
    told = json.loads(shown["facts"])
    assert len(told["suits"]) == 1  # what they have in common is told once
    assert told["suits"][told["checkpoints"]["model-5"]["suits"]]["width"] == 512


def test_the_list_is_another_one_when_a_model_comes_and_when_a_setting_changes(
    tmp_path: Path, options: Options
) -> None:
    make_model(tmp_path / "Stable-diffusion" / "a")
    models = CheckpointCatalogue([tmp_path])
    assert list(json.loads(current(models)["facts"])["checkpoints"]) == ["a"]
    make_model(tmp_path / "Stable-diffusion" / "b")
    models.refresh()
    shown = current(models)
    assert [name for _title, name in shown["checkpoint"]["choices"]] == ["a", "b"]
    page = json.loads(shown["facts"])["page"]
    options.update({"show_progress_in_title": not page["show_progress_in_title"]})
    assert json.loads(current(models)["facts"])["page"] != page


def test_of_thousands_the_list_of_refiners_has_the_first_ones_and_any_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.tabs.drawing.rows.parts.MOST_LISTED", 2)
    for number in range(3):
        make_model(tmp_path / "Stable-diffusion" / f"model-{number}")
    name = "txt2img refiner_checkpoint"
    shown = lists.current({name: hidden_text("x")}, CheckpointCatalogue([tmp_path]))[name]
    assert [name for _title, name in shown["choices"]] == ["None", "model-0", "model-1"]
    assert shown["allow_custom_value"]


async def test_the_page_brings_few_models_along_and_reads_the_others_when_it_opens(
    tmp_path: Path, store: JobStore, options: Options
) -> None:
    for number in range(30):
        make_model(tmp_path / "Stable-diffusion" / f"model-{number:02}")
    models = CheckpointCatalogue([tmp_path])
    text = json.dumps(create_ui(store, models, no_stop).config)
    assert "model-11" in text
    assert "model-12" not in text
    assert len(current(models)["checkpoint"]["choices"]) == 30


def test_news_of_models_leave_the_choice_of_a_page_as_it_is(tmp_path: Path, options: Options) -> None:
    for name in ("a", "b"):
        make_model(tmp_path / "Stable-diffusion" / name)
    models = CheckpointCatalogue([tmp_path])
    assert current(models, "b")["checkpoint"]["value"] == "b"
    assert current(models, "gone")["checkpoint"]["value"] == "a"
    assert current(models, None)["checkpoint"]["value"] == "a"


def test_a_model_that_cannot_be_used_says_so_in_the_list_and_is_not_chosen_for_anybody(tmp_path: Path) -> None:
    place = tmp_path / "Stable-diffusion"
    make_model(place / "good")
    (place / "a.safetensors").write_bytes(safetensors_bytes())
    models = CheckpointCatalogue([tmp_path])
    shown = [("a.safetensors (cannot be used)", "a.safetensors"), (models.find("good").title, "good")]
    assert choices(models.list()) == shown
    told = json.loads(facts(models.list(), Settings()))["checkpoints"]
    assert told["good"]["problem"] is None
    assert "is of no kind" in told["a.safetensors"]["problem"]
    for wanted, found in {"absent": "good", "good": "good", "a.safetensors": "a.safetensors"}.items():
        checkpoint = chosen(models, wanted)
        assert checkpoint is not None
        assert checkpoint.name == found
