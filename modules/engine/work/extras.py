"""A job of the kind extras, from its claimed row to its pictures on disk, which are made one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import torch
from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.models.devices import Denoiser, choose_threads
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.pace import Cost
from modules.engine.progress.parts import Part
from modules.engine.progress.timings import Size
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.work.environment import environment_of
from modules.engine.work.extras_pictures import enlarge, open_picture
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.saving import save_picture
from modules.engine.work.turns import begin_picture
from modules.errors import InputGone, Interrupted, InvalidRequest
from modules.images.infotext import with_extras, write_extras
from modules.images.picture_files import encode_mended
from modules.images.saved_names import mended_name
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import CHOSEN
from modules.jobs.kinds.extras import ExtrasChoice, ExtrasModels, ExtrasRequest
from modules.jobs.kinds.extras_values import ResolvedExtras, in_picture
from modules.jobs.kinds.registry import read_resolved, validate_request
from modules.jobs.rows import Job

logger = logging.getLogger(__name__)

# An upscaler is as much work as a large denoiser: all cores.
_LIKE = Denoiser(parameters=1_000_000_000)
_DTYPE = "float32"
_SECONDS_BETWEEN_PREVIEWS = 0.2
_TIMES_ITS_COST = 50  # a preview is made no more often than that it takes a fiftieth of the time
_SEGMENTS_AT_MOST = 40


class ExtrasWork:
    """The work on one claimed job. `resolved` is None: what helps a drawing that ran out of memory is no help here."""

    resolved: ResolvedJob | None = None

    def __init__(
        self,
        parts: EngineParts,
        job: Job,
        token: int,
        progress: JobProgress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._job = job
        self._token = token
        self._progress = progress
        self._clock = clock
        self._next_preview = 0.0

    def draw(self) -> bool:
        """Make every picture that is not there yet; tell whether all of them were tried (False: stopped between two).

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
            SteadyError: the job cannot be done.
        """
        parts = self._parts
        self._progress.enter("load")
        with parts.cancel.keeping_skips():
            parts.cancel.check()
            resolved = self._resolve()
        left = self._left(resolved)
        if not left:
            return True
        torch.set_num_threads(resolved.threads)
        hashes = [one.model.hash[:16] for one in resolved.enlarging if one.model is not None]
        experience = parts.timings.under("+".join(hashes) or "plain", _DTYPE, parts.device.label, resolved.threads)
        self._progress.plan(_parts_of(resolved, left), experience)
        parts.state.job_count, parts.state.job_no = resolved.image_count, resolved.image_count - len(left)
        return self._make_all(resolved, left)

    def keep_snapshot(self, amid: bool = True) -> None:
        """Keep nothing: a picture that is worked on begins anew, and those before it are there."""

    def _make_all(self, resolved: ResolvedExtras, left: Sequence[int]) -> bool:
        parts = self._parts
        unread: Exception | None = None
        made = resolved.image_count - len(left)
        for number, index in enumerate(left):
            begin_picture(parts, self._job.id, index)
            try:
                self._make(resolved, index)
                made += 1
            except (InputGone, InvalidRequest) as error:
                unread = error
                parts.store.claims.note(self._job.id, "input", f"Picture {index + 1}: {error}")
            except Interrupted as stop:
                if stop.kind != "skip":
                    raise
                made += 1
                logger.info("Skipped picture %d of job %s", index + 1, self._job.id)
            parts.state.nextjob()
            if parts.state.stopping_generation and number + 1 < len(left):
                return False
        if unread is not None and made == 0:
            raise unread
        return True

    def _make(self, resolved: ResolvedExtras, index: int) -> None:
        """Read one picture, enlarge and mend it, and save what it became."""
        parts = self._parts
        self._progress.enter("prepare", index)
        parts.cancel.check()
        picture, infotext = open_picture(parts, resolved, index)
        if not resolved.upscale_first:
            picture = self._mend(resolved, picture)
        self._progress.enter("upscale", index)
        picture = enlarge(parts, resolved, index, picture, self._progress.advance, lambda seen: self._show(seen, index))
        if resolved.upscale_first:
            picture = self._mend(resolved, picture)
        self._progress.enter("save", index)
        parts.cancel.check()
        self._save(resolved, index, picture, infotext)
        self._show(picture, index, finished=True)

    def _mend(self, resolved: ResolvedExtras, picture: Image.Image) -> Image.Image:
        """Return a picture with its faces mended."""
        for faces in resolved.faces:
            picture = self._parts.face_menders.mend(faces, picture)
        return picture

    def _resolve(self) -> ResolvedExtras:
        """Close the request, or take what an earlier run of this job has closed."""
        parts, job = self._parts, self._job
        if job.resolved is not None:
            resolved = read_resolved(job.kind, job.resolved)
        else:
            request = validate_request(job.kind, job.request)
            assert isinstance(request, ExtrasRequest)
            settings = parts.options.values
            threads = choose_threads(settings.torch_threads, _LIKE)
            environment = environment_of(parts.device, _DTYPE, threads)
            models = self._find_models(ExtrasChoice.model_validate(job.request[CHOSEN]))
            resolved = request.resolve(models, settings, parts.inputs.find, threads, environment)
            parts.store.claims.set_resolved(job.id, resolved.model_dump())
        assert isinstance(resolved, ResolvedExtras)
        return resolved

    def _find_models(self, choice: ExtrasChoice) -> ExtrasModels:
        """Return the files that were chosen when the job was sent, hashed."""
        finder = ModelFinder(self._parts)
        return ExtrasModels(
            upscalers=tuple(
                (one.name, None if one.file is None else finder.file_of("upscaler", one.file))
                for one in choice.upscalers
            ),
            faces=tuple(
                (one.name, finder.file_of("face_restorer", one.file), finder.file_of("face_restorer", one.detector))
                for one in choice.faces
            ),
            folder=choice.folder,
        )

    def _left(self, resolved: ResolvedExtras) -> list[int]:
        """Return which pictures are to be made; one before that which an earlier run was at, and lacks, was skipped."""
        complete = {image.index for image in self._parts.store.jobs.images(self._job.id)}
        wanted = self._job.wanted or range(resolved.image_count)
        return [index for index in wanted if index >= (self._job.image_index or 0) and index not in complete]

    def _save(self, resolved: ResolvedExtras, index: int, picture: Image.Image, infotext: str) -> None:
        """Reserve the picture's name, write its file, complete its row, in this order."""
        parts, job = self._parts, self._job
        extras, values = write_extras(resolved, index), in_picture(resolved, index)
        # Seconds for a large picture; one that is stopped meanwhile is encoded for nobody.
        whole, form = with_extras(infotext, extras), resolved.saving.form
        file = wait_for(
            lambda: encode_mended(picture, infotext, extras, whole, values, form), parts.cancel.check_waiting
        )
        named = mended_name(resolved, job.created_at, file.suffix)
        save_picture(parts, job, resolved, index, picture.size, file, named, whole)

    def _show(self, picture: Image.Image, index: int, finished: bool = False) -> None:
        """Show how far a picture is, or what it became, as long as that costs next to nothing."""
        settings, now = self._parts.options.values, self._clock()
        if not settings.live_previews_enable or not (finished or now >= self._next_preview):
            return
        longest = settings.live_preview_max_size
        shown = picture
        if max(picture.size) > longest:
            share = longest / max(picture.size)
            size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
            shown = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        self._parts.state.assign_current_image(shown.copy(), token=self._token, image_index=index)
        self._next_preview = self._clock() + max(_SECONDS_BETWEEN_PREVIEWS, (self._clock() - now) * _TIMES_ITS_COST)


def _parts_of(resolved: ResolvedExtras, left: Sequence[int]) -> list[Part]:
    """Return all parts of the job in order: what earlier runs finished, loading, and what is left."""
    plain = all(one.model is None for one in resolved.enlarging)

    def of(index: int) -> list[Part]:
        label = f"image {index + 1}" if resolved.image_count <= _SEGMENTS_AT_MOST else f"{resolved.image_count} images"
        size = Size(*resolved.size_of(index))
        return [
            Part("prepare", label, Cost("prepare", size), index),
            Part("upscale", label, Cost("upscale_plain" if plain else "upscale", size), index),
            Part("save", label, Cost("save", size), index),
        ]

    done = [part for index in range(resolved.image_count) if index not in left for part in of(index)]
    return [*done, Part("load", "load", Cost(None)), *(part for index in left for part in of(index))]
