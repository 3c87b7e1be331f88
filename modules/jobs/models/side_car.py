"""What people wrote about a model into the JSON beside it, in the form of A1111's editor of its metadata."""

from __future__ import annotations

from pathlib import Path

from modules.jobs.models.untrusted_file import read_object


def vae_in_side_car(model: Path) -> str | None:
    """Return the VAE that `dream.json` beside `dream.safetensors` names; None: it names none, or cannot be read.

    "Automatic" and "None" are answers too.
    """
    try:
        vae = read_object(model.with_suffix(".json") if model.suffix else Path(f"{model}.json")).get("vae")
    except (OSError, ValueError):
        return None
    return vae if isinstance(vae, str) and vae else None
