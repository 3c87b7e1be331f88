"""Where a job's pictures are saved, and what they are called, by the patterns that the job has kept."""

from __future__ import annotations

from modules.images.naming import FileName, base_folder
from modules.images.pattern_values import Occasion, times_of, values_of
from modules.images.patterns import filled, inside, path_parts
from modules.jobs.kinds.base import Resolved, ResolvedJob


def drawn_name(resolved: ResolvedJob, index: int, occasion: Occasion, suffix: str) -> FileName:
    """Return the name of the picture with this index."""
    naming = resolved.saving.naming
    values = values_of(resolved, index, occasion)
    folder = inside(base_folder(resolved.kind, resolved.saving.naming.folder), filled(naming.folders, values))
    parts = path_parts(filled(naming.name, values))
    return FileName(folder.joinpath(*parts[:-1]), parts[-1] if parts else "", suffix, naming.numbered)


def mended_name(resolved: Resolved, created_at: float, suffix: str) -> FileName:
    """Return the name of a picture that was worked on: a number, in the folder of the day, as A1111 has it."""
    base = base_folder(resolved.kind, resolved.saving.naming.folder)
    return FileName(inside(base, filled("[date]", times_of(created_at))), "", suffix)
