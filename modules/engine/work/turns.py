"""Whose turn it is among the pictures of a job, so that a skip means the one that people see."""

from __future__ import annotations

from modules.engine.engine_parts import EngineParts
from modules.jobs.rows import Job


def announce_picture(parts: EngineParts, job: Job, index: int) -> None:
    """Make the picture that a job will draw first the one that a skip means, also while the model is loaded."""
    parts.state.image_index = index
    if (job.image_index or 0) != index:
        parts.store.claims.begin_image(job.id, index)


def begin_picture(parts: EngineParts, job_id: str, index: int) -> None:
    """Make `index` the picture that a skip means.

    In this order: a skip of the picture before that comes late no longer fits, and one that came is forgotten; only
    then the row tells the server of the new picture, so no skip of the new one can be among those. The first picture is
    that of before: a skip that came while the model was loaded stays.
    """
    store, state = parts.store, parts.state
    if state.image_index != index:
        if state.skipped:
            store.claims.clear_skip(job_id, state.image_index)
        state.image_index = index
        state.skipped = False
    store.claims.begin_image(job_id, index)
    if store.claims.pending(job_id).skip_image == index:
        state.apply_request("skip", job_id, index)
