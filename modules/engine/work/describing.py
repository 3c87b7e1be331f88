"""A job of the kind interrogate, from its claimed row to the note that holds what is on the picture."""

from __future__ import annotations

import torch

from modules.engine.engine_parts import EngineParts
from modules.engine.models.devices import Denoiser, choose_threads
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.pace import Cost
from modules.engine.progress.parts import Part
from modules.engine.progress.timings import Size
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import Interrupted
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import CHOSEN
from modules.jobs.kinds.interrogate import CAPTION, CaptionerChoice, InterrogateRequest, ResolvedInterrogate
from modules.jobs.kinds.registry import read_resolved, validate_request
from modules.jobs.rows import Job

_LIKE = Denoiser(parameters=1_000_000_000)
# All captioners see pictures of one size, whatever they are given.
_SEEN = Size(512, 512)


class Describing:
    """The work on one claimed job. `resolved` is None: what helps a drawing that ran out of memory is no help here."""

    resolved: ResolvedJob | None = None

    def __init__(self, parts: EngineParts, job: Job, progress: JobProgress) -> None:
        self._parts = parts
        self._job = job
        self._progress = progress

    def draw(self) -> bool:
        """Look at the picture and note what is on it.

        Raises:
            Interrupted: the job was stopped. There is nothing to skip to, so a skip ends it too.
            SteadyError: the picture or the model is gone.
        """
        parts = self._parts
        self._progress.enter("load")
        parts.cancel.check()
        resolved = self._resolve()
        torch.set_num_threads(resolved.threads)
        found = parts.catalogue.captioners.find(resolved.captioner)
        found.check_usable()
        loads = not parts.captioner.holds(found.path)
        experience = parts.timings.under(f"captioner {found.name}", "", parts.device.label, resolved.threads)
        self._progress.plan(
            [
                Part("load", "load", Cost("load" if loads else None)),
                Part("prepare", "look at it", Cost("prepare", _SEEN)),
            ],
            experience,
        )
        try:
            captioner = parts.captioner.get(found.path)
            self._progress.enter("prepare")
            picture = wait_for(lambda: parts.inputs.open(resolved.picture), parts.cancel.check_waiting)
            caption = captioner.caption(picture.convert("RGB"))
        except Interrupted as stop:
            if stop.kind == "skip":
                return True
            raise
        parts.store.claims.note(self._job.id, CAPTION, caption)
        return True

    def keep_snapshot(self, amid: bool = True) -> None:
        """Keep nothing: it begins anew."""

    def _resolve(self) -> ResolvedInterrogate:
        """Close the request, or take what an earlier run of this job has closed."""
        parts, job = self._parts, self._job
        if job.resolved is not None:
            resolved = read_resolved(job.kind, job.resolved)
        else:
            request = validate_request(job.kind, job.request)
            assert isinstance(request, InterrogateRequest)
            settings = parts.options.values
            threads = choose_threads(settings.torch_threads, _LIKE)
            choice = CaptionerChoice.model_validate(job.request[CHOSEN])
            resolved = request.resolve(choice, settings, parts.inputs.find, threads)
            parts.store.claims.set_resolved(job.id, resolved.model_dump())
        assert isinstance(resolved, ResolvedInterrogate)
        return resolved
