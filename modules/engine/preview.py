"""Previews: a small picture of what is being drawn, made on a thread of its own from the newest step."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from modules.engine.denoised import Step
from modules.options import Settings
from modules.shared_state import State

logger = logging.getLogger(__name__)

_MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_ENCODING: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 85},
    "png": {"compress_level": 1},
    "webp": {"quality": 80, "method": 0},
}
Array = npt.NDArray[np.float32]


class Shown(Protocol):
    """Something that can be made into a picture."""

    def __call__(self) -> Image.Image: ...


@dataclass(frozen=True)
class LatentColours:
    """How latents look: red, green and blue (-1..1) = latents · factors + bias. `factors`: (channels, 3)."""

    factors: Array
    bias: Array

    @classmethod
    def of_model(cls, preview: dict[str, Any] | None, family: Any, channels: int) -> LatentColours | None:
        """Return the model's own colours, else its family's if the channels fit; None: it is shown in grey."""
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
        if len(family) == channels:
            return cls(np.asarray(family, np.float32), np.zeros(3, np.float32))
        return None


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


def encode_preview(image: Image.Image, image_format: str) -> tuple[str, bytes]:
    """Return media type and bytes."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format=image_format, **_ENCODING[image_format])
    return _MEDIA_TYPES[image_format], buffer.getvalue()


@dataclass(frozen=True)
class _Offer:
    token: int
    image_index: int
    step: int
    show: Shown


class Previews:
    """Makes the newest preview that it has time for. Offering costs the sampling thread nothing."""

    def __init__(self, state: State, settings: Callable[[], Settings]) -> None:
        self._state = state
        self._settings = settings
        self._came = threading.Condition()
        self._newest: _Offer | None = None
        self._closed = False
        self._failed_in = 0  # token of the last job in which a preview failed
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; what it has not made is dropped."""
        with self._came:
            self._closed = True
            self._came.notify()
        self._thread.join(timeout=1)

    def offer_step(
        self, token: int, image_index: int, done: int, step: Step, colours: LatentColours | None, size: tuple[int, int]
    ) -> None:
        """Offer the first picture of a batch after a step, if the settings want one after this step."""
        settings = self._settings()
        every = settings.show_progress_every_n_steps
        if not settings.live_previews_enable or every < 0 or done % max(every, 1) != 0:
            return
        small = preview_size(*size, settings.live_preview_max_size)
        self._put(_Offer(token, image_index, done, lambda: picture_of_latents(step.denoised(0), colours, small)))

    def offer_picture(self, token: int, image_index: int, done: int, picture: Image.Image) -> None:
        """Offer a finished picture."""
        settings = self._settings()
        if not settings.live_previews_enable:
            return
        small = preview_size(*picture.size, settings.live_preview_max_size)
        self._put(_Offer(token, image_index, done, lambda: picture.resize(small, Image.Resampling.BICUBIC)))

    def _put(self, offer: _Offer) -> None:
        with self._came:
            self._newest = offer
            self._came.notify()

    def _run(self) -> None:
        while self._make_next():
            pass

    def _make_next(self) -> bool:
        """Make the newest preview as soon as there is one; False when the thread is to end.

        Its latents are held by this call alone, so nothing of a job stays while the thread waits for the next.
        """
        with self._came:
            self._came.wait_for(lambda: self._newest is not None or self._closed)
            if self._closed:
                return False
            offer, self._newest = self._newest, None
        if offer is not None:
            self._make(offer)
        return True

    def _make(self, offer: _Offer) -> None:
        """Make and show one preview. A failure is told once a job and never harms it."""
        try:
            with torch.inference_mode():
                image = offer.show()
            encoded = encode_preview(image, self._settings().live_previews_image_format)
        except Exception as error:
            if self._failed_in != offer.token:
                self._failed_in = offer.token
                logger.warning("A preview could not be made (the job goes on): %s", error, exc_info=error)
            return
        self._state.assign_current_image(
            image, encoded, token=offer.token, image_index=offer.image_index, step=offer.step
        )
