"""The kind of job whose pictures differ by what a script says."""

from __future__ import annotations

from modules.jobs.kinds.grid import values
from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.grid.script import ARGUMENTS
from modules.jobs.kinds.img2img import IMG2IMG
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.txt2img import TXT2IMG

_BASES = (TXT2IMG, IMG2IMG)

GRID = Kind(
    request=GridRequest,
    resolved=ResolvedGrid,
    picture=values.in_picture,
    infotext=values.in_infotext,
    told=values.told,
    told_fields=frozenset({"of", "script", ARGUMENTS}).union(*(kind.told_fields for kind in _BASES)),
    inputs=tuple(name for kind in _BASES for name in kind.inputs),
)
