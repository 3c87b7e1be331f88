"""Single files: the weights, the settings and the bits of the same model in diffusers layout, without any network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.errors import Interrupted, ModelError
from modules.shared_state import State
from tests.engine import tiny_files
from tests.engine.models.single_file.comparing import load, networks_of, same_weights, settings_of, stock_of
from tests.engine.tiny_files import Both

FAMILIES = ("sd1", "sd2", "sdxl", "sdxl-refiner")


@pytest.fixture(scope="module", params=FAMILIES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A model of a family, as a folder and as a file."""
    made: Both = getattr(tiny_files, request.param.replace("-", "_"))(tmp_path_factory.mktemp(request.param))
    return made


def draw(pipeline: Any) -> torch.Tensor:
    with torch.inference_mode():
        latents: torch.Tensor = pipeline(
            "a cat, 8k", num_inference_steps=2, width=64, height=64, output_type="latent",
            generator=torch.Generator().manual_seed(0),
        ).images  # fmt: skip
    return latents


def test_a_file_is_its_folder_to_the_bit(both: Both) -> None:
    stock = stock_of(both.folder)
    ours = load(both.file, both.file.stem).pipeline
    for name, expected in networks_of(stock).items():
        found = getattr(ours, name)
        assert not found.training
        assert same_weights(expected, found), name
        assert settings_of(found) == settings_of(expected), name
    assert type(ours.scheduler) is type(stock.scheduler)
    assert settings_of(ours.scheduler) == settings_of(stock.scheduler)
    if type(ours) is type(stock):
        assert torch.equal(draw(ours), draw(stock))


def test_the_number_format_is_that_of_the_job(sd1: Both) -> None:
    stock = DiffusionPipeline.from_pretrained(sd1.folder, dtype=torch.bfloat16, local_files_only=True)
    ours = load(sd1.file, dtype="bfloat16").pipeline
    for name, expected in networks_of(stock).items():
        assert same_weights(expected, getattr(ours, name)), name


def test_a_load_stops_between_two_tensors_and_tells_how_far_it_is(sd1: Both) -> None:
    state = State()
    state.begin("job")
    told: list[float] = []

    def interrupt_soon(fraction: float) -> None:
        told.append(fraction)
        if len(told) == 3:
            state.interrupt()

    with pytest.raises(Interrupted):
        ModelCache(best_device(), Cancel(state)).get(ModelKey(sd1.file, "x", "float32", family="sd1"), interrupt_soon)
    assert len(told) == 3
    told.clear()
    ModelCache(best_device(), Cancel(State())).get(ModelKey(sd1.file, "x", "float32", family="sd1"), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("marks", "prediction", "expected"),
    [
        ((), "", ("epsilon", "leading", False)),
        ((), "v", ("v_prediction", "leading", False)),
        (("v_pred",), "", ("v_prediction", "leading", False)),
        (("v_pred", "ztsnr"), "v", ("v_prediction", "trailing", True)),
    ],
)
def test_what_the_denoiser_predicts_is_told_to_the_scheduler(
    tmp_path: Path, sd1: Both, marks: tuple[str, ...], prediction: str, expected: tuple[str, str, bool]
) -> None:
    file = tmp_path / "marked.safetensors"
    save_file(load_file(sd1.file) | {name: torch.empty(0) for name in marks}, file)
    config = load(file, prediction=prediction).pipeline.scheduler.config
    found = config.prediction_type, config.timestep_spacing, bool(config.get("rescale_betas_zero_snr"))
    assert found == expected


def taken(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def test_parts_that_lie_beside_a_file(tmp_path: Path, sd1: Both) -> None:
    """A VAE under the names of its authors, and a text encoder as ComfyUI has it; also of a whole other checkpoint."""
    whole = load_file(sd1.file)
    file, vae, words = (tmp_path / f"{name}.safetensors" for name in ("alone", "vae", "clip_l"))
    save_file(taken(whole, "model.diffusion_model."), file)
    save_file(taken(whole, "first_stage_model."), vae)
    save_file(taken(whole, "cond_stage_model.transformer."), words)
    with pytest.raises(
        ModelError, match=r"alone\.safetensors has no vae: put a file with it, such as .*into models/VAE"
    ):
        load(file)
    with pytest.raises(ModelError, match=r"has no text_encoder: put .* clip_l\.safetensors, into models/text_encoder "):
        load(file, parts=(("vae", vae),))
    expected = networks_of(load(sd1.file).pipeline)
    for parts in (
        (("text_encoder", words), ("vae", vae)),
        (("text_encoder", sd1.file), ("vae", sd1.folder / "vae" / "diffusion_pytorch_model.safetensors")),
    ):
        found = networks_of(load(file, parts=parts).pipeline)
        assert all(same_weights(network, found[name]) for name, network in expected.items())


def changed(source: Path, target: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    tensors = load_file(source)
    change(tensors)
    save_file(tensors, target)
    return target


def test_what_does_not_fit_is_named(tmp_path: Path, sd1: Both) -> None:
    name = "model.diffusion_model.input_blocks.1.0.in_layers.2.bias"
    lacking = changed(sd1.file, tmp_path / "lacking.safetensors", lambda tensors: tensors.pop(name))
    with pytest.raises(
        ModelError, match=r"unet in .*lacking\.safetensors does not fit .*lacks down_blocks\.0\.resnets"
    ):
        load(lacking)
    shaped = changed(sd1.file, tmp_path / "shaped.safetensors", lambda tensors: tensors.update({name: torch.ones(7)}))
    with pytest.raises(ModelError, match=r"conv1\.bias is 7, where 32 is needed"):
        load(shaped)
    with pytest.raises(ModelError, match="text_encoder"):
        load(sd1.file, "sdxl")
    with pytest.raises(ModelError, match="Single files of the kind sana cannot be drawn with"):
        load(sd1.file, "sana")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(sd1.file.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"cut\.safetensors is cut short"):
        load(cut)


def test_a_file_that_is_cut_short_amid_its_load_ends_the_job_alone(tmp_path: Path, sd1: Both) -> None:
    file = tmp_path / "shrinking.safetensors"
    file.write_bytes(sd1.file.read_bytes())

    def cut(_fraction: float) -> None:
        with file.open("rb+") as opened:
            opened.truncate(200_000)

    with pytest.raises(ModelError, match="was changed while it was read"):
        ModelCache(best_device(), Cancel(State())).get(ModelKey(file, "x", "float32", family="sd1"), cut)
