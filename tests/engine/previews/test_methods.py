"""How latents become a small picture: by the VAE, by a small decoder, by a table of colours."""

import copy
import dataclasses
import gc
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.previews.methods import (
    LatentColours,
    Method,
    PreviewMethods,
    Stale,
    grid_of,
    picture_of_latents,
    preview_size,
)
from modules.engine.previews.small_decoder import find_small_decoder, load_small_decoder
from modules.engine.stopping.cancel import Cancel, add_cancel_points, checked_by
from modules.engine.work.decoding import decode
from modules.errors import Interrupted, ModelError
from modules.paths import ROOT
from modules.shared_state import State

COLOURS = LatentColours(np.eye(4, 3, dtype=np.float32), np.array([0, 0, 0.5], np.float32))


def latents_of(channels: int = 4) -> torch.Tensor:
    return torch.randn(1, channels, 8, 8, generator=torch.Generator().manual_seed(1))


def tiny_decoder(channels: int = 4) -> AutoencoderTiny:
    torch.manual_seed(3)
    return AutoencoderTiny(latent_channels=channels)


@pytest.fixture
def plain(load: Callable[..., LoadedModel], tmp_path: Path) -> LoadedModel:
    """A model with the latents of Stable Diffusion, in a models folder of its own, without weights there."""
    loaded = load("plain")
    folder = tmp_path / "models" / "Stable-diffusion" / "plain"
    folder.mkdir(parents=True)
    return dataclasses.replace(loaded, key=dataclasses.replace(loaded.key, path=folder))


def test_colours_are_the_latents_times_the_models_factors() -> None:
    latents = torch.zeros(1, 4, 8, 8)
    latents[:, 0], latents[:, 1] = 1.0, -1.0
    picture = picture_of_latents(latents, COLOURS, (64, 32))
    assert picture.size == (64, 32)
    assert picture.getpixel((30, 15)) == (255, 0, 191)


def test_a_model_without_colours_is_shown_in_those_of_its_vae_or_in_grey(caplog: pytest.LogCaptureFixture) -> None:
    sdxl, odd = AutoencoderKL(scaling_factor=0.13025), AutoencoderKL(latent_channels=8)
    own = {"latent_rgb_factors": [[0, 1, 0]] * 4, "latent_rgb_bias": [0, 0, 0]}
    found = LatentColours.of_model(own, sdxl)
    assert found is not None and found.factors[0].tolist() == [0, 1, 0]
    of_vae = LatentColours.of_model(None, sdxl)
    assert of_vae is not None and of_vae.factors.shape == (4, 3)
    assert np.allclose(of_vae.factors[0], [0.3651, 0.4232, 0.4341]) and of_vae.bias.any()
    assert LatentColours.of_model(None, odd) is None
    for damaged in ({}, {"latent_rgb_factors": "x"}, {"latent_rgb_factors": [[1, 2]]}):
        assert LatentColours.of_model(damaged, odd) is None
    assert len(caplog.records) == 3
    grey = np.asarray(picture_of_latents(torch.randn(1, 8, 8, 8), None, (8, 8)))
    assert (grey[..., 0] == grey[..., 1]).all() and grey.std() > 10


def test_a_full_preview_is_the_picture_itself(plain: LoadedModel) -> None:
    with torch.inference_mode():
        shown = PreviewMethods(plain).picture("full", latents_of(), (64, 64))
        whole = decode(plain, latents_of(), (64, 64))
    difference = np.asarray(shown, np.int16) - np.asarray(whole, np.int16)
    assert abs(difference).max() <= 1


@pytest.mark.parametrize("method", ["full", "small"])
def test_a_preview_stops_at_once_by_its_own_check_and_the_jobs_is_not_asked(plain: LoadedModel, method: Method) -> None:
    """The job's gives signs of life and raises Interrupted, for the thread that draws."""
    asked: list[str] = []
    state = State()
    cancel = Cancel(state)
    cancel.heartbeat.beat = lambda: asked.append("job")  # type: ignore[method-assign]
    tiny_decoder().save_pretrained(plain.key.path / "preview_decoder")
    vae = copy.deepcopy(plain.pipeline.vae)
    add_cancel_points(vae, cancel, fine=True)
    pipeline = SimpleNamespace(vae=vae, vae_scale_factor=8, unet=plain.denoiser)
    model = dataclasses.replace(plain, pipeline=pipeline)
    methods = PreviewMethods(model)

    def stale() -> None:
        asked.append("preview")
        if len(asked) == 5:
            raise Stale

    with torch.inference_mode():
        with checked_by(lambda: None):
            methods.picture(method, latents_of(), (64, 64))
        state.begin("job")
        state.interrupt()
        with checked_by(stale), pytest.raises(Stale):
            methods.picture(method, latents_of(), (64, 64))
        assert asked == ["preview"] * 5
        with pytest.raises(Interrupted):
            decode(model, latents_of(), (64, 64))
    assert asked[5:] == ["job"]


def test_a_preview_leaves_the_switches_of_the_jobs_decoder_alone(plain: LoadedModel) -> None:
    vae = plain.pipeline.vae
    with torch.inference_mode():
        whole = PreviewMethods(plain).picture("full", latents_of(), (64, 64))
        vae.tile_latent_min_size, vae.tile_sample_min_size = 4, 32
        vae.enable_tiling()
        try:
            assert PreviewMethods(plain).picture("full", latents_of(), (64, 64)) == whole
            assert vae.use_tiling
        finally:
            vae.disable_tiling()


def test_the_decoder_beside_a_model_is_used(plain: LoadedModel) -> None:
    assert PreviewMethods(plain).available("TAESD", 64, 64) == ("linear",)
    assert PreviewMethods(plain).why_not("TAESD", 64, 64) == "There is no small decoder for this model."
    assert PreviewMethods(plain).why_not("Approx NN", 64, 64) is None
    own = tiny_decoder()
    own.save_pretrained(plain.key.path / "preview_decoder")
    methods = PreviewMethods(plain)
    assert methods.available("Full", 64, 64) == ("full", "small", "linear")
    assert methods.available("Approx NN", 64, 64) == methods.available("TAESD", 64, 64) == ("small", "linear")
    assert methods.available("Approx cheap", 64, 64) == ("linear",)
    with torch.inference_mode():
        shown = np.asarray(methods.picture("small", latents_of(), (64, 64)), np.int16)
        wanted = own.decode(latents_of()).sample[0].permute(1, 2, 0)
    assert abs(shown - ((wanted + 1) * 127.5).clip(0, 255).numpy()).max() <= 1


def test_the_embedded_model_is_previewed_by_the_decoder_that_it_brings() -> None:
    """Its VAE is an `AutoencoderTiny` too, but not a small one: the one beside it is nearer to it than the colours."""
    model_cache = ModelCache(best_device(), Cancel(State()))
    path = ROOT / "models" / "Stable-diffusion" / "emoji"
    model = model_cache.get(ModelKey(path, "emoji", "float32"), lambda fraction: None)
    methods = PreviewMethods(model)
    assert methods.available("Full", 256, 256) == ("full", "small", "linear")
    assert methods.available("Approx NN", 256, 256) == ("small", "linear")
    drawn = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(drawn).ellipse((48, 60, 208, 200), fill=(60, 120, 220))
    values = torch.from_numpy(np.asarray(drawn, np.float32).copy() / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.inference_mode():
        latents = model.pipeline.vae.encode(values.to(model.pipeline.vae.device, model.pipeline.vae.dtype)).latents
        shown = {
            method: np.asarray(methods.picture(method, latents, (256, 256)), np.float32)
            for method in ("full", "small", "linear")
        }
    small, linear = (np.abs(shown[method] - shown["full"]).mean() for method in ("small", "linear"))
    assert small < 0.5 * linear


@pytest.mark.parametrize("place", ["VAE-approx/taesd_decoder.safetensors", "VAE-taesd/taesd_decoder.pth",
                                   "vae_approx/taesd_decoder.safetensors", "VAE-approx/taesd"])  # fmt: skip
@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_taesd_of_other_programs_is_found_and_read(
    plain: LoadedModel, tmp_path: Path, place: str, elsewhere: bool
) -> None:
    own = tiny_decoder()
    models = tmp_path / ("others" if elsewhere else "models")
    path = models / place
    path.parent.mkdir(parents=True, exist_ok=True)
    # As its authors publish it: a plain list of layers of which the first, without weights, clamps.
    layers = {name.removeprefix("layers."): value for name, value in own.decoder.state_dict().items()}
    moved = {
        f"{int(name.split('.', 1)[0]) + 1}.{name.split('.', 1)[1]}": value.clone() for name, value in layers.items()
    }
    if path.suffix == ".safetensors":
        save_file(moved, path)
    elif path.suffix == ".pth":
        torch.save(moved, path)
    else:
        own.save_pretrained(path)
    assert find_small_decoder(plain, [tmp_path / "others"]) == path
    loaded = load_small_decoder(path, 4)
    with torch.inference_mode():
        assert torch.equal(loaded.decode(latents_of()).sample, own.decode(latents_of()).sample)


def test_taesd_is_not_for_a_model_with_latents_of_its_own(plain: LoadedModel, tmp_path: Path) -> None:
    tiny_decoder().save_pretrained(tmp_path / "models" / "VAE-approx" / "taesd")
    assert find_small_decoder(plain, []) is not None
    own = dataclasses.replace(plain, preview={"latent_rgb_factors": [[0, 1, 0]] * 4})
    assert find_small_decoder(own, []) is None


@pytest.mark.parametrize("damage", ["truncated", "channels", "empty"])
def test_a_small_decoder_that_does_not_fit_says_so(plain: LoadedModel, damage: str) -> None:
    folder = plain.key.path / "preview_decoder"
    tiny_decoder(8 if damage == "channels" else 4).save_pretrained(folder)
    weights = folder / "diffusion_pytorch_model.safetensors"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    with torch.inference_mode(), pytest.raises(ModelError, match="preview_decoder"):
        PreviewMethods(plain).picture("small", latents_of(), (64, 64))


def test_large_pictures_and_models_off_the_device_are_not_decoded(plain: LoadedModel) -> None:
    methods = PreviewMethods(plain)
    assert methods.available("Full", 2048, 1024) == ("linear",)
    assert "too large" in (methods.why_not("Full", 2048, 1024) or "")
    offloaded = dataclasses.replace(plain, key=dataclasses.replace(plain.key, offload="model"))
    assert PreviewMethods(offloaded).available("Full", 64, 64) == ("linear",)
    assert "off the device" in (PreviewMethods(offloaded).why_not("Full", 64, 64) or "")


def test_a_model_that_is_dropped_is_not_kept_for_its_previews(plain: LoadedModel) -> None:
    copied = dataclasses.replace(plain)
    methods = PreviewMethods(copied)
    assert methods.belongs_to(copied)
    del copied
    gc.collect()
    with pytest.raises(Stale):
        methods.picture("full", latents_of(), (64, 64))
    methods.picture("linear", latents_of(), (64, 64))


def test_sizes() -> None:
    assert preview_size(1024, 512, 512) == (512, 256)
    assert preview_size(128, 64, 512) == (128, 64)
    pictures = [Image.new("RGB", (10, 20), (number, 0, 0)) for number in range(1, 6)]
    grid = grid_of(pictures)
    assert grid.size == (30, 40)
    assert [grid.getpixel((x, y))[0] for y in (0, 20) for x in (0, 10, 20)] == [1, 2, 3, 4, 5, 0]  # type: ignore[index]
