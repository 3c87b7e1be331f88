"""What is on a picture is told by a local model, the same each time, and stopped between two of its blocks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from modules.engine.captioning import captioner as captioning
from modules.jobs.intake import Intake
from modules.jobs.kinds.interrogate import CAPTION
from modules.jobs.rows import Actor, Job
from modules.jobs.submission import Sender, Wishes, check_request, submit
from tests.engine.captioning.tiny_captioner import build
from tests.engine.own_engine import Engine
from tests.engine.work.test_extras import picture

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
ME = Actor("tester", "127.0.0.1")


@pytest.fixture(scope="session")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("captioners")
    build(root / "interrogate" / "blip-tiny")
    return root


@pytest.fixture
def seeing(tmp_path: Path, blip: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", blip)
    yield running
    running.close()


def put(engine: Engine, model: str = "clip") -> str:
    intake = Intake(engine.parts.inputs, engine.store)
    sent = {"image": intake.take_picture(picture(), ME).name, "model": model}
    checked = check_request("interrogate", sent, engine.parts.catalogue, engine.options.values, Sender(intake, ME))
    return submit(engine.store, checked, Wishes("tester"), ME).id


def caption_of(job: Job) -> str:
    return next(note.text for note in job.notes if note.kind == CAPTION)


def test_the_caption_is_that_of_transformers(seeing: Engine, blip: Path) -> None:
    put(seeing)
    job = seeing.run_next()
    assert (job.status, job.error) == ("done", None)
    folder = blip / "interrogate" / "blip-tiny"
    model, processor = BlipForConditionalGeneration.from_pretrained(folder), BlipProcessor.from_pretrained(folder)
    with Image.open(seeing.parts.inputs.path_of(str(job.request["image"]))) as shown:
        inputs = processor(images=shown.convert("RGB"), return_tensors="pt")
    expected = processor.decode(model.generate(**inputs, max_new_tokens=75)[0], skip_special_tokens=True)
    assert caption_of(job) == " ".join(expected.split()) != ""
    assert seeing.store.jobs.images(job.id) == []
    put(seeing, "blip-tiny")
    assert caption_of(seeing.run_next()) == caption_of(job)


def test_it_is_stopped_between_two_blocks(seeing: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    made = captioning.Captioner.caption

    def stopped(self: Any, shown: Image.Image) -> str:
        assert seeing.store.control.ask("interrupt").accepted
        seeing.housekeeping.look()
        return made(self, shown)

    monkeypatch.setattr(captioning.Captioner, "caption", stopped)
    put(seeing)
    job = seeing.run_next()
    assert job.status == "interrupted"
    assert [note.kind for note in job.notes] == []


def test_a_folder_of_another_model_fails_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "image-to-text" / "odd"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    (folder / "model.safetensors").write_bytes(b"x")
    engine = Engine(tmp_path / "data", tmp_path / "models")
    try:
        put(engine)
        job = engine.run_next()
    finally:
        engine.close()
    assert job.status == "failed"
    assert "odd cannot be loaded as an image-to-text model" in str(job.error)
