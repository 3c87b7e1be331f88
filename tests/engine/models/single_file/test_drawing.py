"""Jobs drawn with a single file: the bytes of the folder with the same weights, and never with a file that changed."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.jobs.models.detection import unets
from modules.jobs.rows import Job
from tests.engine.own_engine import Engine
from tests.engine.tiny_files import Both


def chosen(name: str) -> dict[str, Any]:
    return {"override_settings": {"sd_model_checkpoint": name}, "steps": 2, "width": 64, "height": 64}


@pytest.fixture
def engine(tmp_path: Path, sd1: Both, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine with the model as "one" and as "one.safetensors". A real one is told by the width of its words."""
    monkeypatch.setattr(unets, "_family", lambda width, told: "sd1")
    place = tmp_path / "models" / "Stable-diffusion"
    place.mkdir(parents=True)
    (place / "one").symlink_to(sd1.folder)
    (place / "one.safetensors").write_bytes(sd1.file.read_bytes())
    running = Engine(tmp_path / "data", tmp_path / "models")
    yield running
    running.close()


def pixels(engine: Engine, job: Job) -> bytes:
    (file,) = engine.files(job)
    with Image.open(io.BytesIO(file)) as picture:
        return picture.tobytes()


def changed(file: Path) -> None:
    """Replace a file's weights by others."""
    save_file({name: one * 0.9 if one.is_floating_point() else one for name, one in load_file(file).items()}, file)


def test_a_file_draws_what_its_folder_draws(engine: Engine, sd1: Both) -> None:
    jobs = [engine.draw(**chosen(name)) for name in ("one", "one.safetensors")]
    assert [job.error for job in jobs] == [None, None]
    folder, file = (engine.parts.catalogue.find(name) for name in ("one", "one.safetensors"))
    assert (file.family, file.kind, folder.kind) == ("sd1", "file", "folder")
    pictures = [pixels(engine, job) for job in jobs]
    assert pictures[0] == pictures[1]


def test_a_file_that_changed_is_drawn_with_under_its_new_hash(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "models" / "Stable-diffusion" / "one.safetensors"
    before = engine.draw(**chosen("one.safetensors"))
    changed(file)
    after = engine.draw(**chosen("one.safetensors"))
    assert before.resolved is not None and after.resolved is not None
    assert before.resolved["sources"]["checkpoint"]["hash"] != after.resolved["sources"]["checkpoint"]["hash"]
    assert pixels(engine, before) != pixels(engine, after)


def test_a_file_that_is_replaced_amid_its_load_is_not_drawn_with(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models" / "Stable-diffusion" / "one.safetensors"
    load = engine.parts.model_cache.get

    def replace_amid(key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        loaded = load(key, progress)
        changed(file)
        return loaded

    monkeypatch.setattr(engine.parts.model_cache, "get", replace_amid)
    job = engine.draw(**chosen("one.safetensors"))
    assert job.error == "The weights of one.safetensors were changed while they were loaded: submit it again."


def test_a_vae_beside_it_that_is_replaced_amid_a_load_is_not_drawn_with(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    file, vae = models / "Stable-diffusion" / "bare.safetensors", models / "VAE" / "some vae.safetensors"
    whole = load_file(models / "Stable-diffusion" / "one.safetensors")
    vae.parent.mkdir()
    save_file({name: one for name, one in whole.items() if name.startswith("first_stage_model.")}, vae)
    save_file({name: one for name, one in whole.items() if not name.startswith("first_stage_model.")}, file)
    load = engine.parts.model_cache.get

    def replace_amid(key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        loaded = load(key, progress)
        changed(vae)
        return loaded

    engine.parts.catalogue.refresh()
    assert engine.draw(**chosen("bare.safetensors")).status == "done"
    engine.parts.model_cache.drop()
    monkeypatch.setattr(engine.parts.model_cache, "get", replace_amid)
    job = engine.draw(**chosen("bare.safetensors"))
    assert job.error == "The weights of bare.safetensors were changed while they were loaded: submit it again."
