"""The ways to make a small picture of latents: the model's own VAE, a small decoder, or a table of colours."""

from __future__ import annotations

import copy
import logging
import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from modules.engine.families.base import vae_of
from modules.engine.families.latent_layout import plain_layout
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.previews.latent_colours import channels_of, colours_of
from modules.engine.previews.small_decoder import find_small_decoder, load_small_decoder
from modules.engine.stopping.cancel import add_cancel_points
from modules.errors import ModelError

logger = logging.getLogger(__name__)

Method = Literal["full", "small", "linear"]
Array = npt.NDArray[np.float32]

# From the setting's value to the methods that may be used, best first.
LADDERS: dict[str, tuple[Method, ...]] = {
    "Full": ("full", "small", "linear"),
    "Approx NN": ("small", "linear"),
    "TAESD": ("small", "linear"),
    "Approx cheap": ("linear",),
}
# Above this a decoder would have to work in tiles, or would take gigabytes beside the job.
_LARGEST_DECODED_PIXELS = 1024 * 1024


class Stale(Exception):  # noqa: N818
    """Nobody waits for this preview any more."""


@dataclass(frozen=True)
class LatentColours:
    """How latents look: red, green and blue (-1..1) = latents · factors + bias. `factors`: (channels, 3)."""

    factors: Array
    bias: Array

    @classmethod
    def of_model(cls, preview: dict[str, Any] | None, vae: Any) -> LatentColours | None:
        """Return the model's own colours, else those of its VAE's kind; None: it is shown in grey."""
        channels = channels_of(vae)
        if preview is not None:
            try:
                factors = np.asarray(preview["latent_rgb_factors"], np.float32)
                bias = np.asarray(preview.get("latent_rgb_bias", (0, 0, 0)), np.float32)
            except (KeyError, TypeError, ValueError) as error:
                logger.warning("preview.json is damaged (%r): previews are made without it", error)
            else:
                if factors.shape == (channels, 3) and bias.shape == (3,):
                    return cls(factors, bias)
                logger.warning("preview.json has factors of shape %s for %d channels", factors.shape, channels)
        known = colours_of(vae)
        return None if known is None else cls(np.asarray(known[0], np.float32), np.asarray(known[1], np.float32))


def picture_of_latents(latents: torch.Tensor, colours: LatentColours | None, size: tuple[int, int]) -> Image.Image:
    """Return a picture of `latents`, (1, channels, height, width), enlarged to `size` (width, height)."""
    # NumPy, since a small product in torch would wake its whole pool of threads while the denoiser uses it.
    values = latents[0].float().cpu().numpy().transpose(1, 2, 0)
    if colours is not None:
        shown = values @ colours.factors + colours.bias
    else:
        grey = values.mean(axis=2, keepdims=True)
        shown = np.repeat((grey - grey.mean()) / (3 * grey.std() + 1e-6), 3, axis=2)
    pixels = ((shown + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def preview_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return the size of the preview of a picture."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def columns_of_grid(count: int) -> int:
    """Return in how many columns so many pictures are shown."""
    return math.ceil(math.sqrt(count))


def grid_of(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return pictures of one size side by side, row by row."""
    if len(pictures) == 1:
        return pictures[0]
    columns = columns_of_grid(len(pictures))
    width, height = pictures[0].size
    grid = Image.new("RGB", (columns * width, math.ceil(len(pictures) / columns) * height))
    for number, picture in enumerate(pictures):
        grid.paste(picture, (number % columns * width, number // columns * height))
    return grid


class PreviewMethods:
    """What a model can be previewed with. It does not keep the model in memory."""

    def __init__(self, model: LoadedModel, folders: Sequence[Path] = ()) -> None:
        vae = vae_of(model.pipeline)
        self._model = weakref.ref(model)
        self._vae: Callable[[], Any] = (lambda: None) if vae is None else weakref.ref(vae)
        self._channels = channels_of(vae)
        self._colours = LatentColours.of_model(model.preview, vae)
        self._small_path = find_small_decoder(model, folders)
        self._own_is_small = isinstance(vae, AutoencoderTiny) and self._small_path is None
        self._decodes = vae is not None
        self._small: Any = None
        self._used: set[tuple[Method, torch.Size]] = set()
        self._offloaded = model.key.offload

    def belongs_to(self, model: LoadedModel) -> bool:
        """Tell whether these are of that model, as it decodes now."""
        return self._model() is model and self._vae() is vae_of(model.pipeline)

    def available(self, setting: str, width: int, height: int) -> tuple[Method, ...]:
        """Return the methods that a setting allows for pictures of this size, best first."""
        possible: set[Method] = {"linear"}
        if width * height <= _LARGEST_DECODED_PIXELS:
            if self._decodes and not self._offloaded:
                possible |= {"full", "small"} if self._own_is_small else {"full"}
            if self._decodes and self._small_path is not None:
                possible.add("small")
        ladder = LADDERS[setting]
        if self._own_is_small and ladder[0] == "full":
            ladder = ("full", "linear")  # It is the small one.
        return tuple(method for method in ladder if method in possible)

    def why_not(self, setting: str, width: int, height: int) -> str | None:
        """Say why the best method that a setting names is not there; None: it is, or the setting leaves it open."""
        wanted = LADDERS[setting][0]
        if wanted in self.available(setting, width, height) or setting == "Approx NN":
            return None
        if width * height > _LARGEST_DECODED_PIXELS:
            return f"Pictures of {width}×{height} are too large to be decoded beside the job."
        if not self._decodes:
            return "The model draws pixels, which need no decoder."
        if wanted == "full":
            return "The model is kept off the device while it does not work."
        return "There is no small decoder for this model."

    def is_cold(self, method: Method, latents: torch.Tensor) -> bool:
        """Tell whether the method was never used for latents of this shape: the first use also loads and prepares."""
        return (method, latents.shape) not in self._used

    def picture(self, method: Method, latents: torch.Tensor, size: tuple[int, int]) -> Image.Image:
        """Return a picture of `latents`, (1, channels, height, width), of `size` (width, height).

        For one thread at a time, which says with `checked_by` what ends it before it is done.

        Raises:
            Stale: the model is gone.
        """
        if method == "linear":
            shown = picture_of_latents(latents, self._colours, size)
        else:
            pixels = self._decode(method, latents)
            if not torch.isfinite(pixels).all():
                raise ModelError("the decoder gave a picture without numbers")
            values = pixels[0].float().permute(1, 2, 0).cpu().numpy()
            shown = Image.fromarray(((values + 1) * 127.5).clip(0, 255).astype(np.uint8))
        self._used.add((method, latents.shape))
        return shown if shown.size == size else shown.resize(size, Image.Resampling.BICUBIC)

    def _decode(self, method: Method, latents: torch.Tensor) -> torch.Tensor:
        model = self._model()
        if model is None:
            raise Stale
        # The weights are the job's; the switches are not: its own decoding may be about to work in tiles.
        vae: Any = copy.copy(vae_of(model.pipeline))
        for switch in ("use_tiling", "use_slicing"):
            if hasattr(vae, switch):
                setattr(vae, switch, False)
        if method == "small" and not self._own_is_small:
            vae = self._load_small(vae)
            scaled = plain_layout(vae).for_vae(latents)
        else:
            scaled = model.family.for_vae(model.pipeline, latents)
        pixels: torch.Tensor = vae.decode(scaled.to(vae.device, vae.dtype), return_dict=False)[0]
        return pixels[:, :3, 0] if pixels.ndim == 5 else pixels[:, :3]

    def _load_small(self, like: Any) -> Any:
        if self._small is None:
            assert self._small_path is not None
            small: Any = load_small_decoder(self._small_path, self._channels).to(like.device, like.dtype)
            if like.device.type == "cpu":
                small = small.to(memory_format=torch.channels_last)  # a quarter faster there
            add_cancel_points(small.decoder, None, fine=True)
            self._small = small
            logger.info("Previews are made with %s", self._small_path)
        return self._small
