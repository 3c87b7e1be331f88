"""A VAE from a file of its own in the place of a model's: whatever its tensors are called, and back again."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.vae_swap import VaeSwap
from modules.engine.models.vae_weights import load_vae
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.decoding import decode
from modules.errors import Interrupted, ModelError
from modules.jobs.models.vae_file import VaeFile, look_at_vae
from modules.shared_state import State
from tests.engine import original_keys

LATENTS = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def other(load: Callable[..., LoadedModel]) -> AutoencoderKL:
    """A VAE like the one of the tiny models, with other weights; its own configuration knows nothing of their scale."""
    torch.manual_seed(5)
    config = dict(load("plain").pipeline.vae.config) | {"scaling_factor": 0.5}
    vae: AutoencoderKL = AutoencoderKL.from_config(config)
    return vae.eval()


@pytest.fixture
def model(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def swap(state: State) -> VaeSwap:
    cancel = Cancel(state)
    return VaeSwap(ModelCache(best_device(), cancel), cancel)


def written(vae: AutoencoderKL, path: Path, prefix: str = "", original: bool = True) -> VaeFile:
    tensors = original_keys.state_of(vae)
    tensors = original_keys.vae(tensors) if original else tensors
    save_file({prefix + name: one.contiguous().clone() for name, one in tensors.items()}, path)
    return dataclasses.replace(look_at_vae(path.name, path), sha256=f"{prefix}{original}")


def decoded(model: LoadedModel) -> bytes:
    with torch.inference_mode():
        return decode(model, LATENTS, (64, 64)).tobytes()


@pytest.mark.parametrize(
    ("prefix", "original"), [("", True), ("first_stage_model.", True), ("vae.", True), ("", False), ("vae.", False)]
)
def test_it_decodes_as_the_network_it_is_of_with_the_models_own_scale(
    tmp_path: Path, model: LoadedModel, other: AutoencoderKL, swap: VaeSwap, prefix: str, original: bool
) -> None:
    own = decoded(model)
    swap.use(model, written(other, tmp_path / "soft.safetensors", prefix, original))
    swapped, vae = decoded(model), model.pipeline.vae
    assert vae.config.scaling_factor == 0.18215
    assert all(torch.equal(one, vae.state_dict()[name]) for name, one in other.state_dict().items())
    assert swapped != own
    swap.use(model, None)
    assert decoded(model) == own


def test_it_is_loaded_once_and_in_the_models_number_format(
    tmp_path: Path, model: LoadedModel, other: AutoencoderKL, swap: VaeSwap, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = written(other, tmp_path / "soft.safetensors")
    half = dataclasses.replace(model, key=dataclasses.replace(model.key, dtype="bfloat16"))
    swap.use(half, vae)
    first = model.pipeline.vae
    assert first.dtype == torch.bfloat16
    swap.use(half, None)
    monkeypatch.setattr("modules.engine.models.vae_swap.load_vae", None)
    swap.use(half, vae)
    assert model.pipeline.vae is first


def test_what_does_not_go_with_the_model_is_refused_and_its_own_stays(
    tmp_path: Path, model: LoadedModel, swap: VaeSwap
) -> None:
    own = model.pipeline.vae
    wide = AutoencoderKL.from_config(dict(own.config) | {"latent_channels": 16})
    with pytest.raises(ModelError, match="it is for latents of 16 channels, and this model's have 4"):
        swap.use(model, written(wide, tmp_path / "wide.safetensors"))
    save_file({"decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}, tmp_path / "half.safetensors")
    with pytest.raises(ModelError, match=r"VAE half.safetensors does not fit .*: choose another one, or None"):
        swap.use(model, look_at_vae("half.safetensors", tmp_path / "half.safetensors"))
    assert model.pipeline.vae is own


def test_a_load_stops_between_two_tensors(
    tmp_path: Path, model: LoadedModel, other: AutoencoderKL, swap: VaeSwap, state: State
) -> None:
    own = model.pipeline.vae
    token = state.begin("job")
    state.interrupt()
    with pytest.raises(Interrupted):
        swap.use(model, written(other, tmp_path / "soft.safetensors"))
    state.end(token)
    assert model.pipeline.vae is own


def test_a_file_that_changes_while_it_is_loaded_is_not_used(
    tmp_path: Path, model: LoadedModel, other: AutoencoderKL, swap: VaeSwap, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = written(other, tmp_path / "soft.safetensors")

    def load_and_change(*given: object) -> object:
        loaded = load_vae(*given)  # type: ignore[arg-type]
        written(other, tmp_path / "soft.safetensors", "vae.")
        return loaded

    monkeypatch.setattr("modules.engine.models.vae_swap.load_vae", load_and_change)
    with pytest.raises(ModelError, match="was changed while it was loaded"):
        swap.use(model, vae)
