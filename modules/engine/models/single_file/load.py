"""Make a pipeline from a single file and those beside it, part by part, so that a load can be stopped at any time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import diffusers
import torch
import transformers
from torch import nn

from modules.engine.families.base import Family
from modules.engine.families.known import FAMILIES
from modules.engine.models.byte_counter import ByteCounter
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.single_file.contents import part_alone, part_of
from modules.engine.models.single_file.family_config import FamilyConfig, NetworkConfig, TokenizerConfig, config_of
from modules.engine.models.single_file.filling import UnfitTensors, fill
from modules.engine.models.single_file.networks import prepare_network
from modules.engine.models.single_file.recorded import Recorded, Tensors
from modules.engine.models.single_file.scheduler import scheduler_config
from modules.engine.models.single_file.stored import Stored, stored_tensors
from modules.engine.models.single_file.tensor_file import TensorFile
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError
from modules.prompts.shipped_tokenizers import tokenizer_folder

# No picture is judged, and none gets a watermark.
_OFF = {"requires_safety_checker": False, "add_watermarker": False}


class _Prepared(NamedTuple):
    """A network without numbers yet, and what it is to be filled with."""

    network: nn.Module
    tensors: Mapping[str, Recorded]
    path: str


def load_single_file(key: ModelKey, cancel: Cancel, progress: Callable[[float], None]) -> LoadedModel:
    """Return the model of a file, on the CPU; `progress` gets 0..1 meanwhile.

    All files are looked at before the first tensor is read, so that what is missing is told at once.

    Raises:
        Interrupted: the job was stopped between two tensors.
        ModelError: the model cannot be loaded; the message says what is missing, and where to put it.
    """
    config = config_of(key.family)
    family = _family(key.family)
    dtype = getattr(torch, key.dtype)
    with ExitStack() as opened:
        cancel.check()
        files = _Files(key, opened)
        prepared = {name: files.prepare(name, part, config) for name, part in config.networks.items()}
        counter = ByteCounter(sum(_bytes_of(one) for one in prepared.values() if one is not None), cancel, progress)
        parts: dict[str, Any] = {name: _tokenizer(one) for name, one in config.tokenizers.items()}
        for name, one in prepared.items():
            cancel.check()
            parts[name] = None if one is None else _filled(name, one, dtype, counter)
        known = set(files.main)
    scheduler = getattr(diffusers, config.scheduler_class)
    parts["scheduler"] = scheduler.from_config(scheduler_config(config, key, known))
    return LoadedModel(key, family, _pipeline(family, config, parts), None)


def count_parameters_of_file(key: ModelKey) -> int:
    """Return how many numbers the denoiser of a file has, from the header alone.

    Raises:
        ModelError: the file cannot be read.
    """
    config = config_of(key.family)
    with TensorFile(key.path) as file:
        core = part_of(stored_tensors(file), config.networks[config.core], config)
        return sum(torch.Size(one.shape).numel() for one in core.values())


class _Files:
    """The file of a model and those beside it, open for one load."""

    def __init__(self, key: ModelKey, opened: ExitStack) -> None:
        self._key = key
        self.main = stored_tensors(opened.enter_context(TensorFile(key.path)))
        self._beside = {
            name: (path, stored_tensors(opened.enter_context(TensorFile(path)))) for name, path in key.parts
        }

    def prepare(self, name: str, part: NetworkConfig, config: FamilyConfig) -> _Prepared | None:
        """Return a part as it is to be filled, that of the file beside it where there is one; None: it is done without.

        Raises:
            ModelError: it is nowhere, or does not fit.
        """
        path, tensors = self._key.path, part_of(self.main, part, config)
        if name in self._beside:
            path, beside = self._beside[name]
            tensors = part_alone(beside, part)
        if not tensors:
            if part.optional:
                return None
            raise self._missing(name, part)
        try:
            network, fitting = prepare_network(part, _recorded(tensors))
        except UnfitTensors as error:
            raise ModelError(
                f"{name} in {path} does not fit ({error}): use another file, or fetch it again."
            ) from error
        return _Prepared(network, fitting, str(path))

    def _missing(self, name: str, part: NetworkConfig) -> ModelError:
        if part.core:
            return ModelError(f"{self._key.path} holds no denoiser ({name}): use a whole checkpoint.")
        place = "VAE" if name == "vae" else "text_encoder"
        usual = f", such as {part.usual}," if part.usual else ""
        return ModelError(
            f"{self._key.path.name} has no {name}: put a file with it{usual} into models/{place} and choose it."
        )


def _recorded(tensors: Mapping[str, Stored]) -> Tensors:
    return {name: Recorded.of(one) for name, one in tensors.items()}


def _bytes_of(prepared: _Prepared) -> int:
    read = {id(one): one for tensor in prepared.tensors.values() for one in tensor.stored()}
    return sum(one.bytes for one in read.values())


def _filled(name: str, prepared: _Prepared, dtype: torch.dtype, counter: ByteCounter) -> nn.Module:
    try:
        network = fill(prepared.network, prepared.tensors, dtype, counter.add)
    except UnfitTensors as error:
        raise ModelError(f"{name} in {prepared.path} does not fit ({error}): use another file.") from error
    if isinstance(network, diffusers.ModelMixin):
        nn.Module.to(network, dtype=dtype)  # The plain method: diffusers' own warns. Only buffers are left to cast.
    return network


def _tokenizer(config: TokenizerConfig) -> Any:
    made = getattr(transformers, config.class_name)
    return made.from_pretrained(str(tokenizer_folder(config.files)), local_files_only=True, **config.arguments)


def _family(name: str) -> Family:
    family = FAMILIES.get(name)
    if family is None:
        raise ModelError(f"This version cannot draw with models of the kind {name}: use one of another kind.")
    return family


def _pipeline(family: Family, config: FamilyConfig, parts: Mapping[str, Any]) -> Any:
    wanted = inspect.signature(family.pipeline.__init__).parameters
    arguments = {**config.arguments, **_OFF}
    options = {name: value for name, value in arguments.items() if name in wanted}
    none = dict.fromkeys(name for name in (*family.left_out, "text_encoder", "tokenizer") if name in wanted)
    return family.pipeline(**{**none, **parts, **options})
