"""Previews: a small picture of what is being drawn, made on a thread of its own from the newest step."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.previews.budget import Budget
from modules.engine.previews.methods import Method, PreviewMethods, Stale, columns_of_grid, grid_of, preview_size
from modules.engine.progress.bar import JobProgress
from modules.engine.stopping.cancel import checked_by
from modules.images.placing import Placing
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
class _Job:
    """The job whose previews are made; `progress` is told how. `placings`: where each picture belongs."""

    token: int
    methods: PreviewMethods
    progress: JobProgress
    placings: tuple[Placing, ...] = ()


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
        self._finished: Callable[[], None] | None = None  # shows a finished picture
        self._closed = False
        self._failed_in = 0  # token of the last job of which a finished picture could not be shown
        self._job: _Job | None = None
        self._budget = Budget()
        self._pictures = 1  # that are drawn at once
        self._last_step = (-1, 0.0, 0.0)  # its number, when it was done, and the thread's work until then
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

    def begin_job(self, token: int, model: LoadedModel, progress: JobProgress, pictures: int) -> None:
        """Say what the job with this token draws with, when its plan is known, and how many pictures at once.

        It may be said again where the job goes on with others: as long as they are of the same size and model, what was
        learned of their steps holds.
        """
        settings, methods = self._settings(), self._methods_of(model)
        if not settings.live_previews_enable:
            progress.show_preview({"method": "off", "reason": None})
        with self._came:
            goes_on = self._job is not None and self._job.token == token and self._pictures == pictures
            self._pictures = pictures
            if not (goes_on and self._budget.is_for(progress.experience, progress.size)):
                self._budget.begin(progress.experience, progress.size, pictures if settings.show_progress_grid else 1)
            self._job, self._last_step = _Job(token, methods, progress), (-1, 0.0, 0.0)

    def begin_pass(self) -> None:
        """Say that the job goes on with another pass: where that is of another size, other previews can be afforded."""
        settings = self._settings()
        with self._came:
            job, pictures = self._job, self._pictures if settings.show_progress_grid else 1
            self._last_step = (-1, 0.0, 0.0)
            if job is not None and job.progress.size != self._budget.size:
                self._budget.begin(job.progress.experience, job.progress.size, pictures)

    def change_model(self, model: LoadedModel) -> None:
        """Say that the job goes on with another model, or with another VAE."""
        methods = self._methods_of(model)
        with self._came:
            if self._job is not None:
                self._job = replace(self._job, methods=methods)

    def place(self, placings: Sequence[Placing]) -> None:
        """Say that the pictures of the batch are regions of larger ones, in which they are to be shown; or none are."""
        with self._came:
            if self._job is not None:
                self._job = replace(self._job, placings=tuple(placings))

    def _methods_of(self, model: LoadedModel) -> PreviewMethods:
        job = self._job
        known = job is not None and job.methods.belongs_to(model)
        return job.methods if job is not None and known else PreviewMethods(model, self._folders)

    def step_done(self) -> None:
        """Say that the noticeboard holds the pictures of a batch as they are after another step."""
        settings = self._settings()
        every = self._state.preview_every_n_steps = settings.show_progress_every_n_steps
        if not settings.live_previews_enable or every < 0:
            return
        with self._came:
            done, now, worked = self._state.sampling_step, self._clock(), self._work_so_far()
            last, then, worked_then = self._last_step
            self._last_step = (done, now, worked)
            if done == last + 1:
                self._budget.step_took(now - then, worked - worked_then)
            if not self._stepped:
                # Only once: what rests is not to take Python's lock from the sampler at each step.
                self._stepped = True
                self._came.notify()

    def show_picture(self, image_index: int, picture: Image.Image) -> None:
        """Show a finished picture of the job."""
        job, step = self._job, self._state.sampling_steps
        if job is None or not self._settings().live_previews_enable:
            return
        with self._came:
            self._stepped, self._finished = False, partial(self._show, job.token, image_index, step, picture)
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
            with torch.inference_mode(), checked_by(lambda: self._check(job.token)):
                image = _draw(job, method, shown, settings.live_preview_max_size)
        except Stale:
            return None
        except Exception:
            with self._came:
                self._budget.failed(method)
            raise
        if threading.get_ident() == self._thread.ident:
            self._made = (method, cold)
        return image

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
        while (show := self._next()) is not None:
            show()

    def _next(self) -> Callable[[], None] | None:
        """Return what makes the newest preview as soon as there is room for one; None when the thread is to end."""
        with self._came:
            while not self._closed:
                if self._finished is not None:
                    finished, self._finished = self._finished, None
                    return finished
                self._stepped = self._stepped and self._state.running
                rest = self._rest_until - self._clock()
                if self._stepped and rest <= 0:
                    self._stepped = False
                    return self._show_step
                self._came.wait(min(rest, _SECONDS_BETWEEN_LOOKS) if self._stepped else None)
        return None

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
                self._rest_until = self._clock() + self._budget.pause_seconds(_share(self._settings()))

    def _show(self, token: int, image_index: int, step: int, picture: Image.Image) -> None:
        """Show a finished picture. A failure is told once a job and never harms it."""
        try:
            small = preview_size(*picture.size, self._settings().live_preview_max_size)
            image = picture.resize(small, Image.Resampling.BICUBIC)
            self._state.assign_current_image(image, token=token, image_index=image_index, step=step)
        except Exception as error:
            if self._failed_in != token:
                self._failed_in = token
                logger.warning("A finished picture could not be shown (the job goes on): %s", error, exc_info=error)

    def _is_over(self, token: int) -> bool:
        return not self._state.running or self._state.begun != token

    def _check(self, token: int) -> None:
        if self._is_over(token) or self._state.interrupted:
            raise Stale

    def _choose(self, job: _Job, settings: Settings) -> Method:
        setting, (width, height, _rows) = settings.show_progress_type, job.progress.size
        every = max(settings.show_progress_every_n_steps, 1)
        with self._came:
            choice = self._budget.choose(job.methods.available(setting, width, height), _share(settings), every)
        reason = choice.reason or job.methods.why_not(setting, width, height)
        job.progress.show_preview({"method": choice.method, "reason": reason})
        return choice.method


def _draw(job: _Job, method: Method, latents: torch.Tensor, longest: int) -> Image.Image:
    """Return the pictures side by side, `longest` at most in each direction."""
    width, height = job.placings[0].size if job.placings else job.progress.size[:2]
    columns = columns_of_grid(len(latents))
    rows = math.ceil(len(latents) / columns)
    size = preview_size(width, height, max(longest * max(width, height) // max(width * columns, height * rows), 1))
    return grid_of([_picture(job, method, latents[place : place + 1], place, size) for place in range(len(latents))])


def _picture(job: _Job, method: Method, latents: torch.Tensor, place: int, size: tuple[int, int]) -> Image.Image:
    """Return one picture of a batch in a size; where it is a region of a larger one, that one with it in its place."""
    if place >= len(job.placings):
        return job.methods.picture(method, latents, size)
    placing = job.placings[place]
    left, top, right, bottom = placing.region_in(size)
    return placing.shown(job.methods.picture(method, latents, (right - left, bottom - top)), size)


def _share(settings: Settings) -> float:
    """Return what previews may cost of a job's time; 0 stands for no limit."""
    return settings.live_preview_share_percent / 100 or math.inf
