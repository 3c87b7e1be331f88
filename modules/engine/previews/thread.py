"""Previews: a small picture of what is being drawn, made on a thread of its own from the newest step."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from modules.engine.models.shelf import LoadedModel
from modules.engine.previews.budget import Budget
from modules.engine.previews.methods import Method, PreviewMethods, Stale, columns_of_grid, grid_of, preview_size
from modules.engine.progress.bar import JobProgress
from modules.options import Settings
from modules.shared_state import State

logger = logging.getLogger(__name__)

_MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_ENCODING: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 85},
    "png": {"compress_level": 1},
    "webp": {"quality": 80, "method": 0},
}
_SECONDS_BETWEEN_LOOKS = 0.25


def encode_preview(image: Image.Image, image_format: str) -> tuple[str, bytes]:
    """Return media type and bytes."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format=image_format, **_ENCODING[image_format])
    return _MEDIA_TYPES[image_format], buffer.getvalue()


@dataclass(frozen=True)
class JobPreviews:
    """What previews of one job are made with, for pictures of `size` (width, height); `progress` is told how."""

    token: int
    methods: PreviewMethods
    progress: JobProgress
    size: tuple[int, int]


@dataclass(frozen=True)
class _Finished:
    """A finished picture that is to be shown."""

    token: int
    image_index: int
    done: int
    picture: Image.Image


class Previews:
    """Makes the newest preview that it has time for, within the budget; telling of a step costs the sampler nothing.

    It is what decodes and encodes for the noticeboard: whoever asks that to `set_current_image` gets one made the same
    way. `folders` are the models folders in which small decoders may be.
    """

    def __init__(
        self,
        state: State,
        settings: Callable[[], Settings],
        folders: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._settings = settings
        self._folders = tuple(folders)
        self._clock = clock
        self._came = threading.Condition()
        self._ready = threading.Event()
        self._stepped = False
        self._finished: _Finished | None = None
        self._closed = False
        self._failed_in = 0  # token of the last job of which a finished picture could not be shown
        self._job: JobPreviews | None = None
        self._methods: PreviewMethods | None = None
        self._budget = Budget()
        self._budget_token = 0
        self._last_step = (0, 0, 0, 0.0, 0.0)  # token, image, step, when, and the thread's work until then
        self._made: tuple[Method, bool] | None = None  # how the thread made its latest one, and whether that was cold
        self._rest_until = 0.0
        self._worked = 0.0
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)
        state.preview_decoder = self.decode
        state.preview_encoder = lambda image: encode_preview(image, settings().live_previews_image_format)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """End the thread; what it has not made is dropped."""
        with self._came:
            self._closed = True
            self._came.notify()
        self._thread.join(timeout=1)

    def begin_job(self, token: int, model: LoadedModel, progress: JobProgress, size: tuple[int, int]) -> None:
        """Say what the job with this token draws, and with which model."""
        if self._methods is None or not self._methods.belongs_to(model):
            self._methods = PreviewMethods(model, self._folders)
        if not self._settings().live_previews_enable:
            progress.show_preview({"method": "off", "reason": None})
        self._job = JobPreviews(token, self._methods, progress, size)

    def step_done(self, token: int, image_index: int, done: int) -> None:
        """Say that `current_latent` holds the pictures of a batch as they are after another step."""
        settings = self._settings()
        every = self._state.preview_every_n_steps = settings.show_progress_every_n_steps
        if not settings.live_previews_enable or every < 0:
            return
        with self._came:
            self._time_step(token, image_index, done)
            self._stepped = True
            self._came.notify()

    def show_picture(self, token: int, image_index: int, done: int, picture: Image.Image) -> None:
        """Show a finished picture."""
        if not self._settings().live_previews_enable:
            return
        with self._came:
            self._stepped, self._finished = False, _Finished(token, image_index, done, picture)
            self._came.notify()

    def decode(self, latents: torch.Tensor) -> Image.Image | None:
        """Return the preview of `latents`, (batch, channels, height / 8, width / 8); None: nobody waits for it.

        For the noticeboard, which asks for one at a time.
        """
        job, settings = self._job, self._settings()
        if job is None or self._is_over(job.token) or not settings.live_previews_enable:
            return None
        shown = latents if settings.show_progress_grid else latents[:1]
        method = self._choose(job, settings)
        cold = job.methods.is_cold(method, shown[:1])
        try:
            with torch.inference_mode():
                image = self._draw(job, method, shown, settings.live_preview_max_size)
        except Stale:
            return None
        except Exception:
            with self._came:
                self._budget.failed(method)
            raise
        if threading.get_ident() == self._thread.ident:
            self._made = (method, cold)
        return image

    # --- The budget -------------------------------------------------------------------------------------------------

    def _time_step(self, token: int, image_index: int, done: int) -> None:
        now, worked, job = self._clock(), self._work_so_far(), self._job
        if token != self._budget_token and job is not None:
            self._budget_token = token
            latents = self._state.current_latent
            pictures = len(latents) if latents is not None and self._settings().show_progress_grid else 1
            self._budget.begin(job.progress.experience, job.progress.rows, pictures)
        last_token, last_image, last_done, then, worked_then = self._last_step
        if (last_token, last_image, last_done + 1) == (token, image_index, done):
            self._budget.step_took(now - then, worked - worked_then)
        self._last_step = (token, image_index, done, now, worked)

    def _work_so_far(self) -> float:
        """Return how long the preview thread has computed; where the system does not tell, until its last preview."""
        if hasattr(time, "pthread_getcpuclockid") and self._thread.ident is not None and self._thread.is_alive():
            with contextlib.suppress(OSError):  # It may end just now.
                return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident))
        return self._worked

    # --- The thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        # Its own work is for one core: more threads would only take turns with those of the sampler.
        torch.set_num_threads(1)
        self._ready.set()
        while self._make_next():
            pass

    def _make_next(self) -> bool:
        """Make the newest preview as soon as there is room for one; False when the thread is to end."""
        with self._came:
            self._came.wait_for(lambda: self._stepped or self._finished is not None or self._closed)
            while self._stepped and self._finished is None and not self._closed:
                if not self._state.running:
                    self._stepped = False
                elif (rest := self._rest_until - self._clock()) > 0:
                    self._came.wait(min(rest, _SECONDS_BETWEEN_LOOKS))
                else:
                    break
            if self._closed:
                return False
            finished, self._finished = self._finished, None
            stepped, self._stepped = self._stepped and finished is None, False
        if finished is not None:
            self._show(finished)
        elif stepped:
            self._show_step()
        return True

    def _show_step(self) -> None:
        began = time.thread_time()
        self._state.set_current_image()
        worked = time.thread_time() - began
        made, self._made = self._made, None
        with self._came:
            self._worked += worked
            if made is not None:
                method, cold = made
                self._budget.made(method, worked, cold)
                self._rest_until = self._clock() + self._budget.pause_seconds(method, _share(self._settings()))

    def _show(self, finished: _Finished) -> None:
        """Show a finished picture. A failure is told once a job and never harms it."""
        try:
            small = preview_size(*finished.picture.size, self._settings().live_preview_max_size)
            image = finished.picture.resize(small, Image.Resampling.BICUBIC)
            self._state.assign_current_image(
                image, token=finished.token, image_index=finished.image_index, step=finished.done
            )
        except Exception as error:
            if self._failed_in != finished.token:
                self._failed_in = finished.token
                logger.warning("A finished picture could not be shown (the job goes on): %s", error, exc_info=error)

    def _is_over(self, token: int) -> bool:
        return not self._state.running or self._state.begun != token

    def _choose(self, job: JobPreviews, settings: Settings) -> Method:
        setting = settings.show_progress_type
        every = max(settings.show_progress_every_n_steps, 1)
        with self._came:
            choice = self._budget.choose(job.methods.available(setting, *job.size), _share(settings), every)
        reason = choice.reason or job.methods.why_not(setting, *job.size)
        job.progress.show_preview({"method": choice.method, "reason": reason})
        return choice.method

    def _draw(self, job: JobPreviews, method: Method, latents: torch.Tensor, longest: int) -> Image.Image:
        def check() -> None:
            if self._is_over(job.token) or self._state.interrupted:
                raise Stale

        width, height = job.size
        columns = columns_of_grid(len(latents))
        rows = math.ceil(len(latents) / columns)
        size = preview_size(width, height, max(longest * max(width, height) // max(width * columns, height * rows), 1))
        pictures = [
            job.methods.picture(method, latents[place : place + 1], size, check) for place in range(len(latents))
        ]
        return grid_of(pictures)


def _share(settings: Settings) -> float:
    """Return what previews may cost of a job's time; 0 stands for no limit."""
    return settings.live_preview_share_percent / 100 or math.inf
