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

from modules.engine.denoised import Step
from modules.engine.models import LoadedModel
from modules.engine.preview_budget import Budget
from modules.engine.preview_methods import Method, PreviewMethods, Stale, columns_of_grid, grid_of, preview_size
from modules.engine.progress import JobProgress
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
    """What previews of one job are made with; `progress` is told how."""

    token: int
    methods: PreviewMethods
    progress: JobProgress


@dataclass(frozen=True)
class _Offer:
    """Something to show: the step of a batch, or a finished picture."""

    token: int
    image_index: int
    done: int
    size: tuple[int, int]
    step: Step | None = None
    of_job: JobPreviews | None = None
    picture: Image.Image | None = None


class Previews:
    """Makes the newest preview that it has time for, within the budget. Offering costs the sampling thread nothing.

    `folders` are the models folders in which small decoders may be.
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
        self._newest: _Offer | None = None
        self._closed = False
        self._failed_in = 0  # token of the last job in which a preview failed
        self._methods: PreviewMethods | None = None
        self._budget = Budget()
        self._budget_token = 0
        self._last_step = (0, 0, 0, 0.0, 0.0)  # token, image, step, when, and the thread's work until then
        self._rest_until = 0.0
        self._worked = 0.0
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)

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

    def of_job(self, token: int, model: LoadedModel, progress: JobProgress) -> JobPreviews:
        """Return what the previews of a job are made with."""
        if self._methods is None or not self._methods.belongs_to(model):
            self._methods = PreviewMethods(model, self._folders)
        if not self._settings().live_previews_enable:
            progress.show_preview({"method": "off", "reason": None})
        return JobPreviews(token, self._methods, progress)

    def offer_step(
        self, token: int, image_index: int, done: int, step: Step, of_job: JobPreviews, size: tuple[int, int]
    ) -> None:
        """Offer the pictures of a batch after a step, if the settings want them after this step."""
        settings = self._settings()
        every = settings.show_progress_every_n_steps
        if not settings.live_previews_enable or every < 0:
            return
        with self._came:
            self._time_step(token, image_index, done, step, of_job)
            if done % max(every, 1) == 0:
                self._newest = _Offer(token, image_index, done, size, step, of_job)
                self._came.notify()

    def offer_picture(self, token: int, image_index: int, done: int, picture: Image.Image) -> None:
        """Offer a finished picture."""
        if not self._settings().live_previews_enable:
            return
        with self._came:
            self._newest = _Offer(token, image_index, done, picture.size, picture=picture)
            self._came.notify()

    def _time_step(self, token: int, image_index: int, done: int, step: Step, of_job: JobPreviews) -> None:
        now, worked = self._clock(), self._work_so_far()
        if token != self._budget_token:
            self._budget_token = token
            self._budget.begin(of_job.progress.experience, of_job.progress.rows)
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
        """Make the newest preview as soon as there is one; False when the thread is to end.

        Its latents are held by this call alone, so nothing of a job stays while the thread waits for the next.
        """
        with self._came:
            self._came.wait_for(lambda: self._newest is not None or self._closed)
            while not self._closed and self._newest is not None and self._newest.picture is None:
                if self._is_over(self._newest.token):
                    self._newest = None
                elif (rest := self._rest_until - self._clock()) > 0:
                    self._came.wait(min(rest, _SECONDS_BETWEEN_LOOKS))
                else:
                    break
            if self._closed:
                return False
            offer, self._newest = self._newest, None
        if offer is not None:
            self._make(offer)
        return True

    def _is_over(self, token: int) -> bool:
        return not self._state.running or self._state.begun != token

    def _make(self, offer: _Offer) -> None:
        """Make and show one preview. A failure is told once a job and never harms it."""
        began = time.thread_time()
        method: Method | None = None
        settings = self._settings()
        try:
            with torch.inference_mode():
                if offer.picture is not None:
                    small = preview_size(*offer.size, settings.live_preview_max_size)
                    image = offer.picture.resize(small, Image.Resampling.BICUBIC)
                else:
                    method = self._choose(offer, settings)
                    image = self._draw(offer, method, settings)
            encoded = encode_preview(image, settings.live_previews_image_format)
        except Stale:
            return
        except Exception as error:
            self._note_failure(offer, method, error)
            return
        self._state.assign_current_image(
            image, encoded, token=offer.token, image_index=offer.image_index, step=offer.done
        )
        worked = time.thread_time() - began
        with self._came:
            self._worked += worked
            if method is not None and offer.token == self._budget_token:
                self._budget.made(method, worked)
                self._rest_until = self._clock() + self._budget.pause_seconds(method, _share(settings))

    def _choose(self, offer: _Offer, settings: Settings) -> Method:
        assert offer.of_job is not None
        methods, setting = offer.of_job.methods, settings.show_progress_type
        every = max(settings.show_progress_every_n_steps, 1)
        with self._came:
            choice = self._budget.choose(methods.available(setting, *offer.size), _share(settings), every)
        reason = choice.reason or methods.why_not(setting, *offer.size)
        offer.of_job.progress.show_preview({"method": choice.method, "reason": reason})
        return choice.method

    def _draw(self, offer: _Offer, method: Method, settings: Settings) -> Image.Image:
        assert offer.step is not None and offer.of_job is not None

        def check() -> None:
            if self._is_over(offer.token) or self._state.interrupted:
                raise Stale

        latents = offer.step.denoised(None if settings.show_progress_grid else 0)
        width, height = offer.size
        columns = columns_of_grid(len(latents))
        rows = math.ceil(len(latents) / columns)
        longest = settings.live_preview_max_size * max(width, height) // max(width * columns, height * rows)
        size = preview_size(width, height, max(longest, 1))
        pictures = [
            offer.of_job.methods.picture(method, latents[place : place + 1], size, check)
            for place in range(len(latents))
        ]
        return grid_of(pictures)

    def _note_failure(self, offer: _Offer, method: Method | None, error: Exception) -> None:
        if method is not None:
            with self._came:
                self._budget.failed(method)
        if self._failed_in != offer.token:
            self._failed_in = offer.token
            logger.warning("A preview could not be made (the job goes on): %s", error, exc_info=error)


def _share(settings: Settings) -> float:
    """Return what previews may cost of a job's time; 0 stands for no limit."""
    return settings.live_preview_share_percent / 100 or math.inf
