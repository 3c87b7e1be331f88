"""Load a model, whatever it is stored as, and tell beforehand how large it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from modules.engine.families.known import FAMILIES, family_of
from modules.engine.models.devices import Denoiser, DenoiserKind
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.offload import Offload
from modules.engine.models.pipeline_folder import load_folder
from modules.engine.models.single_file.load import count_parameters_of_file, load_single_file
from modules.engine.models.weights import count_parameters
from modules.engine.stopping.cancel import Cancel
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.folder import stamp_of


def load_model(key: ModelKey, cancel: Cancel, progress: Callable[[float], None]) -> LoadedModel:
    """Return the model of a folder or a single file, on the CPU; `progress` gets 0..1 meanwhile.

    Raises:
        Interrupted: the job was stopped between two tensors.
        ModelError: the model cannot be loaded.
    """
    load = load_folder if key.path.is_dir() else load_single_file
    return load(key, cancel, progress)


def key_of(checkpoint: Checkpoint, sha256: str, dtype: str, offload: Offload = "") -> ModelKey:
    """Return what a checkpoint is known by in memory: another one as soon as any of its files is."""
    stamp = checkpoint.stamp
    if checkpoint.parts:
        stamps = [stamp, *(stamp_of(path) for _, path in sorted(checkpoint.parts.items()))]
        stamp = hashlib.sha256("".join(stamps).encode()).hexdigest()
    if checkpoint.kind == "folder":
        return ModelKey(checkpoint.path, sha256, dtype, offload, stamp)
    return ModelKey(
        checkpoint.path,
        sha256,
        dtype,
        offload,
        stamp,
        family=checkpoint.family,
        variant=checkpoint.variant,
        prediction=checkpoint.prediction,
        parts=tuple(sorted(checkpoint.parts.items())),
    )


def describe_denoiser(checkpoint: Checkpoint) -> Denoiser:
    """Return how large the denoiser of a checkpoint is, and of which kind, from the headers of its files alone.

    Raises:
        ModelError: they cannot be read, or the model is none that can be drawn with.
    """
    if checkpoint.kind == "folder":
        family = family_of(checkpoint.folder)
        parameters = count_parameters(checkpoint.folder / family.denoiser)
    else:
        parameters = count_parameters_of_file(key_of(checkpoint, "", ""))  # It knows the families of files.
        family = FAMILIES[checkpoint.family]
    kind: DenoiserKind = "unet" if family.denoiser == "unet" else "transformer"
    return Denoiser(parameters, kind, family.float32_only)
