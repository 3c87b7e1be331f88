"""Which jobs need a model: as long as one waits, is paused or is drawn, its model stays what and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modules.api.answers import Refused
from modules.api.models.entries import Entry
from modules.jobs.rows import UNFINISHED, Job
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from modules.options import Settings

_MOST_LOOKED_AT = 100_000
_TEXTS_OF_WORDS = ("prompt", "negative_prompt")  # what people write there is no name of a model, but for <lora:name:1>


def check_free(store: JobStore, settings: Settings, entry: Entry, deed: str) -> None:
    """Check that no unfinished job draws with the model.

    Raises:
        Refused: 409, one does; it is named.
    """
    waiting, _ = store.jobs.page(JobFilter(tuple(sorted(UNFINISHED))), _MOST_LOOKED_AT, 0)
    needing = [job for job in waiting if needs(job, settings, entry)]
    if not needing:
        return
    more = f" and {len(needing) - 1} more" if len(needing) > 1 else ""
    raise Refused(
        409,
        f"{entry.name} cannot be {deed}: job {needing[0].id} ({needing[0].status}){more} draws with it. "
        "Wait for that, or cancel it in the Queue tab.",
    )


def needs(job: Job, settings: Settings, entry: Entry) -> bool:
    """Tell whether a job names the model, or draws with the one that the settings name."""
    told = [*_texts(job.request), *_texts(job.resolved)]
    if any(text in entry.names for text in told):
        return True
    if any(f"<lora:{name}:" in text for text in _words(job.request) for name in entry.names):
        return True
    names_none = job.resolved is None and "sd_model_checkpoint" not in job.request.get("override_settings", {})
    return names_none and settings.sd_model_checkpoint in entry.names


def _texts(value: Any, name: str = "") -> Iterator[str]:
    """Yield all texts of a request, but for what people wrote as words."""
    if isinstance(value, str) and name not in _TEXTS_OF_WORDS:
        yield value.strip()
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)


def _words(request: dict[str, Any]) -> list[str]:
    return [text for name in _TEXTS_OF_WORDS if isinstance(text := request.get(name), str)]
