"""Pictures in the form in which REST, the event stream and the page tell them: the outputs of a job."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from modules.jobs.rows import Image


def output_answer(image: Image) -> dict[str, Any]:
    """Return a complete picture as an entry of a job's `outputs`; `name` is that of its file, `url` a path here."""
    name = PurePosixPath(image.name)
    return {
        "index": image.index,
        "name": name.name,
        "url": f"/sdapi/v1/jobs/{quote(image.job_id, safe='()')}/images/{image.index}{name.suffix}",
        "width": image.width,
        "height": image.height,
        "seed": image.seed,
        "infotext": image.infotext,
        "partial": image.partial,
    }
