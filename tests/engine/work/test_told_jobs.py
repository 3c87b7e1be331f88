"""Jobs in A1111's language, from the row to the file."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from modules.engine.work.pass_models import _SCRIPTS_KEPT, PassModels
from modules.engine.work.wording import Script
from modules.jobs.kinds.base import ResolvedJob, Words
from tests.engine.own_engine import Engine
from tests.engine.work.hires_jobs import Hires, ask, at, passes_of
from tests.jobs.made_networks import make_embedding


def test_a_job_that_is_paused_amid_schedules_of_either_pass_goes_on_to_the_same_bits(
    hires: Hires, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, passes = hires.engine, passes_of(hires.base, "Latent", sampler_name="DPM++ 2M SDE")
    words = Words(
        prompt="a [cat:dog:2] [x|y] AND (red:1.3) [e:f:1.5] :0.5", negative_prompt="[blue:green:0.5]", syntax="a1111"
    )
    undisturbed = hires.draw(passes, words=words, batch_size=2)
    identity = hires.submit(passes, words=words, batch_size=2)
    for place in (0, 1):
        with monkeypatch.context() as patch:
            at(engine, ("sample", place, 3), lambda: ask(engine, "pause", identity), patch)
            assert engine.run_next().status == "paused"
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert (done.status, engine.files(done)) == ("done", undisturbed)
    assert undisturbed != hires.draw(passes, words=words.model_copy(update={"syntax": "plain"}), batch_size=2)


def test_a_word_that_an_embedding_stands_for_draws_what_its_vectors_say(tmp_path: Path, models_folder: Path) -> None:
    models = tmp_path / "models"
    (models / "Stable-diffusion").mkdir(parents=True)
    (models / "Stable-diffusion" / "tiny").symlink_to(models_folder / "Stable-diffusion" / "tiny")
    drawn: list[list[bytes]] = []
    for number in range(2):
        if number:
            make_embedding(models / "embeddings" / "sprig.safetensors", width=16)
        engine = Engine(tmp_path / f"data{number}", models)
        try:
            for prompt in ("a heart", "a (sprig:1.2) heart"):
                job = engine.draw(prompt=prompt, width=64, height=64, steps=2)
                assert job.error is None and job.resolved is not None
                drawn.append(engine.files(job))
            embeddings = ResolvedJob.model_validate(job.resolved).sources.embeddings
            assert list(embeddings) == ["sprig"][:number]
        finally:
            engine.close()
    without, word, still, vectors = ([pixels(one) for one in files] for files in drawn)
    assert without == still != word != vectors != without


def test_what_each_of_many_pictures_is_told_is_not_kept_to_the_end_of_the_job(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, script = [], PassModels.script

    def counted(models: PassModels, number: int, indices: Sequence[int]) -> Script:
        made = script(models, number, indices)
        kept.append(len(models._scripts))
        return made

    monkeypatch.setattr(PassModels, "script", counted)
    job = engine.draw(prompt="{a|b} heart", n_iter=_SCRIPTS_KEPT + 2, steps=1, width=64, height=64)
    assert job.status == "done" and max(kept) == _SCRIPTS_KEPT


def pixels(file: bytes) -> bytes:
    return Image.open(io.BytesIO(file)).tobytes()
