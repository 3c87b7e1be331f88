"""Resolved jobs for tests."""

from typing import Any

from modules.jobs.kinds.base import ResolvedJob

HASH = "0123456789abcdef" * 4


def flat_row(**changes: Any) -> dict[str, Any]:
    """Return a job as rows of the first versions hold it: all values side by side."""
    values: dict[str, Any] = {
        "prompt": "red heart", "negative_prompt": "", "seed": 1000, "steps": 20, "cfg_scale": 7.0, "width": 512,
        "height": 768, "sampler_name": "Euler a", "scheduler": "Automatic", "batch_size": 1, "n_iter": 1,
        "checkpoint": "emoji", "checkpoint_hash": HASH, "dtype": "float32", "threads": 2,
        "layout": "contiguous", "version": "0.1.0", "save_images": True, "save_partial": False,
        "add_model_name_to_info": True, "add_model_hash_to_info": True, "add_version_to_infotext": True,
        "mark_partial": True, "environment": None,
    }  # fmt: skip
    return values | changes


def resolved_job(**changes: Any) -> ResolvedJob:
    """Return a job of one pass, with some of the values of `flat_row` changed."""
    return ResolvedJob.model_validate(flat_row(**changes))
