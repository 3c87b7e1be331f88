"""How a model's noise levels go, which no tensor says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.single_file.family_config import FamilyConfig

# Tensors without a meaning of their own, by which the authors of models tell how these were trained.
_PREDICTS_V = "v_pred"
_TERMINAL_NOISE = "ztsnr"


def scheduler_config(config: FamilyConfig, key: ModelKey, names: Collection[str]) -> dict[str, Any]:
    """Return the scheduler's configuration for a file with tensors of these names.

    What is known of the model from elsewhere (`key.prediction`) comes with what the file itself says.
    """
    made = {**config.scheduler, **config.variants.get(key.variant, {})}
    if "prediction_type" not in made:
        return made
    if key.prediction == "v" or _PREDICTS_V in names:
        made["prediction_type"] = "v_prediction"
        if _TERMINAL_NOISE in names:
            made |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return made
