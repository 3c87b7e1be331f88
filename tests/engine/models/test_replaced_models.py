"""Models that change while the engine runs: each job is drawn with what lies in the folder when it is claimed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modules.engine.families.known import BY_CLASS
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.jobs.models.drawn_pipelines import PARTS_OF_NAMED
from tests.engine.conftest import Engine

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
CHOSEN = {"override_settings": {"sd_model_checkpoint": "changing"}}


def test_replaced_weights_are_drawn_with_under_their_own_hash(engine: Engine, changing: Path) -> None:
    first = engine.draw(**CHOSEN)
    weights = (changing / WEIGHTS).read_bytes()
    shutil.copyfile(changing.with_name("plain") / WEIGHTS, changing / WEIGHTS)
    second = engine.draw(**CHOSEN)
    (changing / WEIGHTS).write_bytes(weights)
    third = engine.draw(**CHOSEN)
    assert first.resolved is not None and second.resolved is not None and third.resolved is not None
    assert first.resolved["sources"]["checkpoint"]["hash"] != second.resolved["sources"]["checkpoint"]["hash"]
    assert first.resolved["sources"]["checkpoint"]["hash"] == third.resolved["sources"]["checkpoint"]["hash"]
    assert engine.files(first) != engine.files(second)
    assert engine.files(first) == engine.files(third)


def test_another_configuration_is_loaded_anew(engine: Engine, changing: Path) -> None:
    first = engine.draw(**CHOSEN)
    config = changing / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prediction_type": "epsilon"}))
    second = engine.draw(**CHOSEN)
    assert engine.files(first) != engine.files(second)


def test_half_a_copy_is_refused_until_the_rest_is_there(engine: Engine, changing: Path) -> None:
    whole = (changing / WEIGHTS).read_bytes()
    (changing / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    failed = engine.draw(**CHOSEN)
    assert failed.error is not None and "is cut short by" in failed.error
    (changing / WEIGHTS).write_bytes(whole)
    assert engine.draw(**CHOSEN).status == "done"


def test_weights_that_are_replaced_amid_a_load_are_not_drawn_with(
    engine: Engine, changing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = engine.parts.model_cache.get

    def replace_amid(key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        loaded = load(key, progress)
        shutil.copyfile(changing.with_name("plain") / WEIGHTS, changing / WEIGHTS)
        return loaded

    monkeypatch.setattr(engine.parts.model_cache, "get", replace_amid)
    job = engine.draw(**CHOSEN)
    assert job.error == "The weights of changing were changed while they were loaded: submit it again."
    monkeypatch.undo()
    assert engine.draw(**CHOSEN).status == "done"


def test_the_engine_draws_with_each_pipeline_that_the_catalogue_takes() -> None:
    assert set(BY_CLASS) == set(PARTS_OF_NAMED)
