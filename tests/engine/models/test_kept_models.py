"""Models are kept by a budget: going back to one loads nothing, and switching for long leaves memory as it was."""

import gc
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modules.engine.models.devices import Device
from modules.engine.models.free_memory import Memory, memory_of_machine
from modules.engine.models.kept_models import KeptLimit, count_to_drop
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.weight_bytes import bytes_held, bytes_needed
from modules.engine.stopping.cancel import Cancel
from modules.errors import Interrupted
from modules.shared_state import State
from tests.engine.conftest import Engine

GIB = 1024**3
LARGE = Memory(total=100 * GIB, free=80 * GIB)
CPU = Device("cpu", "CPU")


@pytest.mark.parametrize(
    ("kept", "needed", "limit", "memory", "dropped"),
    [
        ([10, 10], 10, KeptLimit(8, 50), LARGE, 0),
        ([10, 10], 10, KeptLimit(2, 50), LARGE, 1),
        ([10, 10], 10, KeptLimit(1, 50), LARGE, 2),
        ([20, 20], 20, KeptLimit(8, 50), LARGE, 1),
        ([5, 5, 5], 90, KeptLimit(8, 50), LARGE, 3),  # larger than the limit: alone
        ([10, 10], 10, KeptLimit(8, 50), Memory(100 * GIB, 5 * GIB), 1),
        ([2, 2], 10, KeptLimit(8, 90), Memory(100 * GIB, 9 * GIB), 1),  # 1 GiB stays free to draw with
        ([], 10, KeptLimit(1, 1), LARGE, 0),
    ],
)
def test_as_few_models_leave_as_must(
    kept: list[int], needed: int, limit: KeptLimit, memory: Memory, dropped: int
) -> None:
    assert count_to_drop([size * GIB for size in kept], needed * GIB, limit, memory) == dropped


def keys(models_folder: Path) -> tuple[ModelKey, ModelKey]:
    place = models_folder / "Stable-diffusion"
    return ModelKey(place / "tiny", "a", "float32"), ModelKey(place / "plain", "b", "float32")


def cache(limit: KeptLimit, free: int = 80 * GIB) -> ModelCache:
    return ModelCache(CPU, Cancel(State()), lambda: limit, lambda device: Memory(100 * GIB, free))


def get(models: ModelCache, key: ModelKey) -> LoadedModel:
    return models.get(key, lambda fraction: None)


def test_who_goes_back_to_a_model_has_it_at_once(models_folder: Path) -> None:
    one, other = keys(models_folder)
    models = cache(KeptLimit(2))
    first = get(models, one)
    get(models, other)
    assert get(models, one) is first and models.loaded is first
    assert models.keys == {one, other}


def test_the_one_that_was_not_used_for_longest_leaves(models_folder: Path) -> None:
    one, other = keys(models_folder)
    third = ModelKey(one.path, one.sha256, "float64")
    models = cache(KeptLimit(2))
    for key in (one, other, one, third):
        get(models, key)
    assert models.keys == {one, third}


def test_without_room_each_model_is_alone(models_folder: Path) -> None:
    one, other = keys(models_folder)
    models = cache(KeptLimit(8), free=GIB)
    left = weakref.ref(get(models, one).denoiser)
    get(models, other)
    assert models.keys == {other} and left() is None


def test_a_stop_while_room_is_made_is_obeyed_before_the_next_of_its_parts(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = keys(models_folder)
    state = State()
    freed: list[str] = []
    models = ModelCache(CPU, Cancel(state), lambda: KeptLimit(1), lambda device: LARGE)
    get(models, one)
    state.begin("job")
    monkeypatch.setattr(gc, "collect", state.interrupt)
    monkeypatch.setattr(Device, "free_unused", lambda device: freed.append(device.torch_name))
    with pytest.raises(Interrupted):
        get(models, other)
    assert (models.keys, freed) == (frozenset(), [])
    monkeypatch.undo()
    state.begin("next")
    assert get(models, other).key == other and models.keys == {other}


def test_another_state_of_the_same_files_replaces_the_old_one(models_folder: Path) -> None:
    one, _ = keys(models_folder)
    models = cache(KeptLimit(8))
    get(models, one)
    changed = ModelKey(one.path, "c", one.dtype)
    get(models, changed)
    assert models.keys == {changed}


def tensors() -> int:
    gc.collect()
    kinds = Counter(map(type, gc.get_objects()))
    return sum(count for kind, count in kinds.items() if issubclass(kind, torch.Tensor))


@pytest.mark.parametrize("limit", [1, 2])
def test_switches_leave_memory_flat(models_folder: Path, limit: int) -> None:
    models = cache(KeptLimit(limit))
    both = keys(models_folder)
    for key in both:
        get(models, key)
    before = tensors()
    for number in range(6):  # what one leaves behind is counted to the tensor
        get(models, both[number % 2])
    assert tensors() <= before


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_a_model_takes_is_known_before_it_is_loaded(load: Callable[..., LoadedModel], dtype: str) -> None:
    model = load(dtype=dtype)
    (held,) = bytes_held([model.pipeline])
    assert bytes_needed(model.key) == pytest.approx(held, rel=0.02)


def test_what_models_share_counts_once(load: Callable[..., LoadedModel]) -> None:
    model = load()
    assert bytes_held([model.pipeline, model.pipeline]) == [0, *bytes_held([model.pipeline])]


def test_a_containers_limit_is_the_memory(tmp_path: Path) -> None:
    whole = memory_of_machine(tmp_path)
    for name, text in (("memory.max", "100000000"), ("memory.current", "70000000"), ("memory.stat", "inactive_file 5")):
        (tmp_path / name).write_text(f"{text}\n")
    assert memory_of_machine(tmp_path) == Memory(100_000_000, 30_000_005)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_of_machine(tmp_path).total == whole.total


def test_jobs_that_take_turns_load_each_model_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = engine.parts.model_cache._load

    def counted(key: ModelKey, progress: Any) -> LoadedModel:
        loads.append(key.path.name)
        return load(key, progress)

    monkeypatch.setattr(engine.parts.model_cache, "_load", counted)
    pictures = [
        engine.files(engine.draw(override_settings={"sd_model_checkpoint": name}, steps=1))[0]
        for name in ("tiny", "plain") * 2
    ]
    assert loads == ["tiny", "plain"]
    assert pictures[:2] == pictures[2:]


def test_what_was_kept_beside_it_makes_room_for_one_more_try(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("plain", "tiny"):
        engine.draw(override_settings={"sd_model_checkpoint": name}, steps=1)
    refused: list[int] = []

    def refuse_once(*given: Any, **more: Any) -> Any:
        if not refused:
            refused.append(1)
            raise torch.OutOfMemoryError
        return encode(*given, **more)

    encode = engine.parts.encoder.encode
    monkeypatch.setattr(engine.parts.encoder, "encode", refuse_once)
    job = engine.draw(steps=1)
    assert job.status == "queued" and "no other model in memory" in str(job.notes[-1])
    assert engine.run_next().status == "done"
    assert len(engine.parts.model_cache.keys) == 1
