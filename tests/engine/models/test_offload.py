"""How much of a model is on an accelerator: what is chosen, and that blocks which come and go draw the same bits.

Moving to a real card is not tested here: there is none. Group offload goes from the CPU to the CPU.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modules.cmd_args import Vram
from modules.engine.models.devices import Device
from modules.engine.models.free_memory import Memory
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.offload import choose_offload, offload
from modules.engine.models.weight_bytes import bytes_needed, bytes_of_networks
from modules.engine.stopping.cancel import Cancel
from modules.errors import Interrupted
from modules.shared_state import State

GIB = 1024**3


@pytest.mark.parametrize(
    ("parts", "free", "vram", "family", "more", "chosen"),
    [
        ([2, 1], 24, "", "", False, ""),
        ([12, 9], 16, "", "", False, "model"),
        ([24, 9], 16, "", "", False, "group"),
        ([], 8, "", "", False, ""),
        ([2, 1], 24, "medium", "sd1", False, "model"),
        ([2, 1], 24, "medium-sdxl", "sd1", False, ""),
        ([5, 1], 24, "medium-sdxl", "sdxl", False, "model"),
        ([2, 1], 24, "low", "sd1", False, "group"),
        ([24, 9], 16, "medium", "", False, "group"),  # what is asked for is the least
        ([2, 1], 24, "", "", True, "model"),
        ([24, 9], 16, "", "", True, "sequential"),
    ],
)
def test_what_is_chosen(parts: list[int], free: int, vram: Vram, family: str, more: bool, chosen: str) -> None:
    assert choose_offload([part * GIB for part in parts], free * GIB, vram, family, more) == chosen


def test_a_small_card_gets_less_at_a_time(models_folder: Path) -> None:
    key = ModelKey(models_folder / "Stable-diffusion" / "tiny", "a", "float32")

    def chosen(device: str, free: int) -> str:
        cache = ModelCache(Device(device, "a card"), Cancel(State()), memory=lambda device: Memory(free, free))
        return cache.with_offload(key, "sd1", more=False).offload

    needed, largest = bytes_needed(key), max(bytes_of_networks(key))
    assert [chosen("cuda", 2 * GIB + room) for room in (needed, needed - 1, largest - 1)] == ["", "model", "group"]
    assert chosen("cpu", 0) == ""


def step(model: LoadedModel) -> torch.Tensor:
    sample = torch.linspace(-1, 1, 2 * 4 * 8 * 8).reshape(2, 4, 8, 8)
    with torch.inference_mode():
        said: torch.Tensor = model.denoiser(sample, 3, torch.ones(2, 7, 16), return_dict=False)[0]
    return said


def test_blocks_that_come_and_go_draw_the_same_bits(load: Callable[..., LoadedModel]) -> None:
    expected, model = step(load()), load()
    offload(model.pipeline, "group", "cpu")
    offload(model.pipeline, "group", "cpu")  # as when another VAE is put in its place
    assert torch.equal(step(model), expected)


def test_a_stop_between_two_blocks_leaves_them_usable(load: Callable[..., LoadedModel]) -> None:
    state = State()
    model = load(cancel=Cancel(state))
    offload(model.pipeline, "group", "cpu")
    expected = step(model)
    token = state.begin("a")
    hook = model.denoiser.mid_block.register_forward_pre_hook(lambda *given: state.apply_request("interrupt", "a"))
    with pytest.raises(Interrupted):
        step(model)
    hook.remove()
    state.end(token)
    state.begin("b")
    assert torch.equal(step(model), expected)
