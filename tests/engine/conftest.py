"""Fixtures: tiny models, built once, and an engine in this process with real parts."""

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from modules.engine.assembly import quieten_libraries
from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.shared_state import State
from tests.engine import tiny
from tests.engine.own_engine import Engine

__all__ = ["Engine"]


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    quieten_libraries()
    torch.set_num_threads(1)  # Two would wait for each other: the networks are too small to share.


@pytest.fixture(scope="module", autouse=True)
def _nothing_older_is_searched() -> None:
    """Leave what is there before a file's tests out of their searches for garbage: each job that is stopped has one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with "tiny" (v-prediction, zero terminal signal) and "plain" (epsilon)."""
    folder = tmp_path_factory.mktemp("models")
    tiny.build(folder / "Stable-diffusion" / "tiny", tiny.TERMINAL_NOISE)
    tiny.build(folder / "Stable-diffusion" / "plain", tiny.PLAIN, seed=1)
    return folder


@pytest.fixture(scope="session")
def load(models_folder: Path) -> Callable[..., LoadedModel]:
    """Load a model as the engine does."""

    def load_model(name: str = "tiny", dtype: str = "float32", cancel: Cancel | None = None) -> LoadedModel:
        model_cache = ModelCache(best_device(), cancel or Cancel(State()))
        path = models_folder / "Stable-diffusion" / name
        return model_cache.get(ModelKey(path, name, dtype), lambda fraction: None)

    return load_model


@pytest.fixture
def changing(models_folder: Path) -> Iterator[Path]:
    """A model of the test's own to change."""
    folder = models_folder / "Stable-diffusion" / "changing"
    shutil.copytree(models_folder / "Stable-diffusion" / "tiny", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def engine(tmp_path: Path, models_folder: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", models_folder)
    yield running
    running.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let diffusers' schedulers use NumPy in a way that it will not allow for ever, and its Chroma a name of before."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:`FluxPosEmbed`:FutureWarning"))
