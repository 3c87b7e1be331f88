"""Snapshots as the first version wrote them: of jobs with one pass, the last step among the sampler's attributes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from modules.jobs.kinds.base import ResolvedJob

FORMAT = 1


def renamed(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a pass stood in the words of today.

    Raises:
        LookupError, TypeError: this is no such state.
    """
    attributes = dict(state["scheduler"]["dict"])
    latest = attributes.pop("latest", None)
    return {
        "place": state["done"],
        "places": state["steps"],
        "first": 0,
        "latents": state["latents"],
        "generators": state["generators"],
        "latest": latest,
        "scheduler": {"dict": attributes},
    }


def request_digest(resolved: ResolvedJob) -> str:
    """Return what told one resolved request from another: all its values, side by side and in this order."""
    drawn, checkpoint, saving = resolved.passes[0], resolved.sources.checkpoint, resolved.saving
    values = {
        "prompt": resolved.words.prompt,
        "negative_prompt": resolved.words.negative_prompt,
        "seed": resolved.seed,
        "steps": drawn.steps,
        "cfg_scale": drawn.cfg_scale,
        "width": drawn.width,
        "height": drawn.height,
        "sampler_name": drawn.sampler_name,
        "scheduler": drawn.scheduler,
        "batch_size": resolved.batch_size,
        "n_iter": resolved.n_iter,
        "checkpoint": checkpoint.name,
        "checkpoint_hash": checkpoint.hash,
        "dtype": resolved.dtype,
        "threads": resolved.threads,
        "layout": "contiguous",
        "version": resolved.version,
        "save_images": saving.save_images,
        "save_partial": saving.save_partial,
        "add_model_name_to_info": saving.add_model_name_to_info,
        "add_model_hash_to_info": saving.add_model_hash_to_info,
        "add_version_to_infotext": saving.add_version_to_infotext,
        "mark_partial": saving.mark_partial,
    }
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
