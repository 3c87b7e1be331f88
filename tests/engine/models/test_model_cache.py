"""Loading: the same weights as diffusers loads, one model at a time, stoppable, and clear about what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DiffusionPipeline, UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, T5Config, T5EncoderModel

from modules.engine.families.known import family_of
from modules.engine.models import weights
from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.weights import count_parameters, load_network, load_text_encoder, weight_files
from modules.engine.stopping.cancel import Cancel
from modules.errors import Interrupted, ModelError
from modules.shared_state import State


def key(folder: Path, sha256: str = "x") -> ModelKey:
    return ModelKey(folder, sha256, "float32")


@pytest.fixture
def copy(models_folder: Path, tmp_path: Path) -> Path:
    """A model of our own to damage."""
    return Path(shutil.copytree(models_folder / "Stable-diffusion" / "tiny", tmp_path / "copy"))


def load_copy(folder: Path) -> LoadedModel:
    return ModelCache(best_device(), Cancel(State())).get(key(folder), lambda fraction: None)


def test_the_weights_are_those_that_diffusers_loads(models_folder: Path, load: Callable[..., LoadedModel]) -> None:
    stock = DiffusionPipeline.from_pretrained(models_folder / "Stable-diffusion" / "tiny", local_files_only=True)
    ours = load().pipeline
    for name in ("unet", "vae", "text_encoder"):
        expected, found = getattr(stock, name).state_dict(), getattr(ours, name).state_dict()
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[weight], found[weight]) for weight in expected)
        assert not getattr(ours, name).training
    assert dict(stock.scheduler.config) == dict(load().pipeline.scheduler.config)


def test_a_file_is_mapped_a_part_at_a_time(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = models_folder / "Stable-diffusion" / "tiny" / "unet"
    opened: list[str] = []

    def watched(file: Path, framework: str) -> Any:
        opened.append(file.name)
        return safe_open(file, framework=framework)

    monkeypatch.setattr(weights, "safe_open", watched)
    monkeypatch.setattr(weights, "_MAPPED_BYTES", 100_000)
    read: list[int] = []
    loaded = load_network(UNet2DConditionModel, folder, torch.float32, read.append).state_dict()
    expected = load_file(weight_files(folder)[0])
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)
    assert sum(read) == sum(tensor.nbytes for tensor in expected.values())
    assert len(opened) > 4


def test_weights_are_held_in_no_wider_format_on_their_way(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[set[torch.dtype]] = []
    plain = torch.nn.Module.to

    def watched(module: torch.nn.Module, *args: Any, **keywords: Any) -> torch.nn.Module:
        widths.append({parameter.dtype for parameter in module.parameters()})
        return plain(module, *args, **keywords)

    monkeypatch.setattr(torch.nn.Module, "to", watched)
    folder = models_folder / "Stable-diffusion" / "tiny" / "unet"
    load_network(UNet2DConditionModel, folder, torch.bfloat16, lambda read: None)
    assert widths == [{torch.bfloat16}]


def test_a_load_tells_how_far_it_is_and_keeps_the_model_for_the_next_job(models_folder: Path) -> None:
    model_cache = ModelCache(best_device(), Cancel(State()))
    folder = models_folder / "Stable-diffusion" / "tiny"
    told: list[float] = []
    first = model_cache.get(key(folder), told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert model_cache.get(key(folder), told.append) is first
    assert model_cache.get(key(folder, "changed"), told.append) is not first
    model_cache.drop()
    assert model_cache.loaded is None


def test_a_load_stops_between_two_tensors(models_folder: Path) -> None:
    state = State()
    state.begin("job")
    model_cache = ModelCache(best_device(), Cancel(state))
    told: list[float] = []

    def interrupt_soon(fraction: float) -> None:
        told.append(fraction)
        if len(told) == 3:
            state.interrupt()

    with pytest.raises(Interrupted):
        model_cache.get(key(models_folder / "Stable-diffusion" / "tiny"), interrupt_soon)
    assert len(told) == 3
    assert model_cache.loaded is None


def test_bfloat16_reaches_every_network_and_the_denoiser_still_speaks_float32(
    load: Callable[..., LoadedModel],
) -> None:
    model = load(dtype="bfloat16")
    assert model.pipeline.unet.dtype == model.pipeline.vae.dtype == model.pipeline.text_encoder.dtype == torch.bfloat16
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    words = torch.zeros(2, 77, 16)
    with torch.inference_mode():
        given = model.denoiser(noise, torch.tensor(999), encoder_hidden_states=words, return_dict=False)[0]
        exact = load().denoiser(noise, torch.tensor(999), encoder_hidden_states=words, return_dict=False)[0]
    assert given.dtype == torch.float32
    assert torch.allclose(given, exact, atol=0.1)


def test_missing_weights_are_named(copy: Path) -> None:
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"No weights \(\*\.safetensors\) in .*unet: fetch the model again"):
        load_copy(copy)


def test_a_pickle_is_refused(copy: Path) -> None:
    (copy / "vae" / "diffusion_pytorch_model.safetensors").rename(copy / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelError, match=r"is a pickle, which can run code: convert it to safetensors"):
        load_copy(copy)


def test_damaged_files_are_named(copy: Path) -> None:
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"unet do not fit .*fetch the model again"):
        load_copy(copy)
    (copy / "unet" / "config.json").write_text("{")
    with pytest.raises(ModelError, match="unet of copy cannot be loaded"):
        load_copy(copy)
    (copy / "model_index.json").write_text("[]")
    with pytest.raises(ModelError, match=r"model_index\.json .* holds no JSON object"):
        load_copy(copy)
    (copy / "model_index.json").unlink()
    with pytest.raises(ModelError, match=r"model_index\.json is missing"):
        load_copy(copy)


@pytest.mark.parametrize("content", ["[" * 200_000, "[]", "{", " " * 3_000_000])
def test_a_table_of_colours_that_is_damaged_is_done_without(copy: Path, content: str) -> None:
    (copy / "preview.json").write_text(content)
    assert load_copy(copy).preview is None


def test_weights_of_another_shape_are_told(copy: Path) -> None:
    config = json.loads((copy / "unet" / "config.json").read_text())
    (copy / "unet" / "config.json").write_text(json.dumps(config | {"cross_attention_dim": 24}))
    with pytest.raises(ModelError, match="unet"):
        load_copy(copy)


def test_a_model_of_another_kind_is_told(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"_class_name": "OddPipeline"}))
    with pytest.raises(ModelError, match=r"copy is a OddPipeline, which this version does not know: use a model"):
        family_of(copy)


def test_weights_under_older_names_are_left_to_diffusers(tmp_path: Path) -> None:
    """VAEs of the first Stable Diffusion call their attention query, key, value, proj_attn."""
    vae = AutoencoderKL(block_out_channels=(8,), layers_per_block=1, norm_num_groups=4)
    vae.save_pretrained(tmp_path)
    (file,) = weight_files(tmp_path)
    old_names = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    renamed = {}
    for name, tensor in vae.state_dict().items():
        for new, old in old_names.items():
            name = name.replace(new, old)
        renamed[name] = tensor
    save_file(renamed, file)
    loaded = load_network(AutoencoderKL, tmp_path, torch.float32, lambda read: None)
    assert all(torch.equal(tensor, vae.state_dict()[name]) for name, tensor in loaded.state_dict().items())


def test_parameters_are_counted_without_loading(models_folder: Path) -> None:
    folder = models_folder / "Stable-diffusion" / "tiny" / "unet"
    unet = UNet2DConditionModel.from_pretrained(folder)
    assert count_parameters(folder) == sum(parameter.numel() for parameter in unet.parameters())


def test_a_text_encoder_is_loaded_tensor_by_tensor_to_what_transformers_loads(models_folder: Path) -> None:
    folder = models_folder / "Stable-diffusion" / "tiny" / "text_encoder"
    for dtype in (torch.float32, torch.bfloat16):
        read: list[int] = []
        ours = load_text_encoder(CLIPTextModel, folder, dtype, read.append)
        stock = CLIPTextModel.from_pretrained(folder, dtype=dtype, local_files_only=True)
        expected, found = stock.state_dict(), ours.state_dict()
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], tensor) for name, tensor in found.items())
        assert len(read) == len(found)
        assert not ours.training
        words = torch.tensor([[1, 2, 3]])
        assert torch.equal(ours(words)[0], stock(words)[0])


def test_a_text_encoder_under_older_names_and_one_with_tied_weights(tmp_path: Path, models_folder: Path) -> None:
    """Stable Diffusion 1.5 as it was published; T5, whose weights are tied, is left to transformers."""
    source = models_folder / "Stable-diffusion" / "tiny" / "text_encoder"
    shutil.copytree(source, tmp_path / "clip")
    (file,) = weight_files(tmp_path / "clip")
    renamed = {f"text_model.{name}": tensor for name, tensor in load_file(file).items()}
    save_file(renamed | {"text_model.embeddings.position_ids": torch.arange(77)[None]}, file, {"format": "pt"})
    read: list[int] = []
    old = load_text_encoder(CLIPTextModel, tmp_path / "clip", torch.float32, read.append)
    new = load_text_encoder(CLIPTextModel, source, torch.float32, lambda read: None)
    assert len(read) == len(old.state_dict())
    assert all(torch.equal(tensor, new.state_dict()[name]) for name, tensor in old.state_dict().items())
    t5 = T5EncoderModel(T5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2))
    t5.save_pretrained(tmp_path / "t5")
    again = load_text_encoder(T5EncoderModel, tmp_path / "t5", torch.float32, lambda read: None)
    assert all(torch.equal(tensor, t5.state_dict()[name]) for name, tensor in again.state_dict().items())


def test_memory_that_runs_out_while_loading_is_not_taken_for_damaged_files(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(weights, "set_module_tensor_to_device", refuse)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        load_copy(copy)
