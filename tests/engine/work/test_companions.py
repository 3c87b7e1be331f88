"""A job is drawn with the text encoders and the VAE that lay beside its model when it was sent, or not at all."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from modules.jobs.kinds.choice import Choice
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.models.detection import unets
from modules.jobs.rows import Job
from tests.engine import tiny_files
from tests.engine.own_engine import Engine
from tests.engine.tiny_files import Both

REQUEST: dict[str, Any] = {"override_settings": {"sd_model_checkpoint": "bare"}, "steps": 1, "width": 64, "height": 64}
VAE = "first_stage_model."


@pytest.fixture(scope="module")
def sd1(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return tiny_files.sd1(tmp_path_factory.mktemp("one"))


@pytest.fixture
def engine(tmp_path: Path, sd1: Both, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine with a model "bare" without a VAE, and two VAEs, of which "a" is the one that the program chooses."""
    monkeypatch.setattr(unets, "_family", lambda width, told: "sd1")
    models, whole = tmp_path / "models", load_file(sd1.file)
    for folder in ("Stable-diffusion", "VAE"):
        (models / folder).mkdir(parents=True)
    vae = {name: one for name, one in whole.items() if name.startswith(VAE)}
    rest = {name: one for name, one in whole.items() if not name.startswith(VAE)}
    save_file(rest, models / "Stable-diffusion" / "bare.safetensors")
    save_file(vae, models / "VAE" / "a.safetensors")
    save_file({name: one * 0.9 for name, one in vae.items()}, models / "VAE" / "b.safetensors")
    running = Engine(tmp_path / "data", models)
    yield running
    running.close()


def sent(engine: Engine, **request: Any) -> Choice:
    """Queue a job as the server does, and return what was chosen for it."""
    checked = validate_drawing("txt2img", REQUEST | {"seed": 7} | request)
    choice = Choice.of(checked.find_models(engine.parts.catalogue, engine.options.values))
    row = checked.model_dump(mode="json") | {"chosen": choice.model_dump(mode="json")}
    engine.store.queue.submit("txt2img", row, "me")
    return choice


def by_hand(*names: str) -> dict[str, Any]:
    return {"override_settings": REQUEST["override_settings"] | {"forge_additional_modules": list(names)}}


def vae_of(job: Job) -> Any:
    assert job.error is None
    assert job.resolved is not None
    return job.resolved["sources"]["checkpoint"]["parts"]["vae"]


def test_one_that_is_chosen_by_hand_draws_and_is_told_of(engine: Engine) -> None:
    sent(engine)
    sent(engine, **by_hand("b"))
    plain, chosen = engine.run_next(), engine.run_next()
    assert [vae_of(job)["name"] for job in (plain, chosen)] == ["a.safetensors", "b.safetensors"]
    assert vae_of(chosen)["hash"] == engine.parts.catalogue.files.find("vae", "b").sha256
    assert engine.files(plain) != engine.files(chosen)
    infotexts = [engine.store.jobs.images(job.id)[0].infotext or "" for job in (plain, chosen)]
    assert ["Module 1: b" in text for text in infotexts] == [False, True]


def test_a_waiting_job_does_not_see_what_comes_meanwhile(engine: Engine, tmp_path: Path) -> None:
    sent(engine)
    own = tmp_path / "models" / "VAE" / "bare.vae.safetensors"
    own.write_bytes((tmp_path / "models" / "VAE" / "b.safetensors").read_bytes())
    engine.parts.catalogue.refresh()
    assert engine.parts.catalogue.find("bare").parts == {"vae": own}
    assert vae_of(engine.run_next())["name"] == "a.safetensors"
    assert vae_of(engine.draw(**REQUEST))["name"] == "bare.vae.safetensors"  # A row of before leaves it open.


def test_one_that_changed_or_went_meanwhile_fails_the_job(engine: Engine, tmp_path: Path) -> None:
    vae = tmp_path / "models" / "VAE" / "a.safetensors"
    files = engine.parts.catalogue.files
    for hashed in (False, True):
        if hashed:
            files.hashed(files.find("vae", "a"))
        chosen = (sent(engine).checkpoint.parts or {})["vae"]
        assert (chosen.hash is not None) == hashed
        save_file({name: one * 0.8 for name, one in load_file(vae).items()}, vae)
        assert engine.run_next().error == "The VAE a.safetensors was changed since this job was sent: submit it again."
    sent(engine)
    vae.unlink()
    error = "The VAE a.safetensors is not there any more: put it back into models/VAE, or submit it again."
    assert engine.run_next().error == error


def test_a_run_that_goes_on_wants_those_that_it_began_with(engine: Engine, tmp_path: Path) -> None:
    sent(engine, **by_hand("b"))
    first = engine.run_next()
    assert first.resolved is not None
    resolved = first.resolved
    sent(engine, **by_hand("b"))
    claimed = engine.store.claims.claim(engine.identity.claims_as)
    assert claimed is not None
    vae = tmp_path / "models" / "VAE" / "b.safetensors"
    save_file({name: one * 0.8 for name, one in load_file(vae).items()}, vae)
    engine.store.claims.set_resolved(claimed.id, resolved)
    begun = engine.store.jobs.get(claimed.id)
    assert begun is not None
    engine.worker.run_job(begun)
    ended = engine.store.jobs.get(claimed.id)
    assert ended is not None
    assert ended.error == "The VAE b.safetensors was changed since this job began: submit it again."


def test_hashing_gives_signs_of_life_until_the_job_is_stopped(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[bool] = []
    went_on = threading.Event()

    def hash_slowly(path: Path, getting_on: Callable[[], bool]) -> str:
        before = len(beats)
        getting_on()
        beats_while_it_waits.append(len(beats) - before)
        engine.state.interrupt()
        assert engine_stopped.wait(30)
        before = len(beats)
        assert not getting_on()
        beats_afterwards.append(len(beats) - before)
        went_on.set()
        return "ab" * 32

    beats_while_it_waits: list[int] = []
    beats_afterwards: list[int] = []
    engine_stopped = threading.Event()
    monkeypatch.setattr("modules.jobs.models.file_catalogue.hash_file", hash_slowly)
    monkeypatch.setattr(engine.cancel.heartbeat, "beat", lambda: beats.append(True))
    sent(engine)
    assert engine.run_next().status == "interrupted"
    engine_stopped.set()
    assert went_on.wait(30)
    assert (beats_while_it_waits, beats_afterwards) == ([1], [0])


def test_a_refiner_keeps_its_own_and_tells_them(engine: Engine, tmp_path: Path) -> None:
    models = tmp_path / "models"
    bare, second = (models / "Stable-diffusion" / f"{name}.safetensors" for name in ("bare", "second"))
    save_file({name: one * 0.9 if one.is_floating_point() else one for name, one in load_file(bare).items()}, second)
    own = models / "VAE" / "second.vae.safetensors"
    save_file({name: one * 0.8 for name, one in load_file(models / "VAE" / "b.safetensors").items()}, own)
    engine.parts.catalogue.refresh()
    refined = {"steps": 2, "refiner_checkpoint": "second", "refiner_switch_at": 0.5}
    chosen = sent(engine, **refined)
    assert chosen.refiner is not None
    (models / "VAE" / "0.safetensors").write_bytes((models / "VAE" / "b.safetensors").read_bytes())
    engine.parts.catalogue.refresh()
    job = engine.run_next()
    assert vae_of(job)["name"] == "a.safetensors"
    assert job.resolved is not None
    assert job.resolved["passes"][1]["checkpoint"]["parts"]["vae"]["name"] == "second.vae.safetensors"
    sent(engine, **refined)
    own.unlink()
    assert "The VAE second.vae.safetensors is not there any more" in (engine.run_next().error or "")


def test_one_that_was_renamed_is_known_by_its_hash(engine: Engine, tmp_path: Path) -> None:
    files, vae = engine.parts.catalogue.files, tmp_path / "models" / "VAE" / "a.safetensors"
    before = files.hashed(files.find("vae", "a")).sha256
    sent(engine)
    vae.rename(vae.with_name("renamed.safetensors"))
    files.refresh()
    files.hashed(files.find("vae", "renamed"))
    assert vae_of(engine.run_next()) == {"name": "renamed.safetensors", "hash": before, "parts": None}
