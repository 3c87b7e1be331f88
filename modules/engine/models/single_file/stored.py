"""Tensors of a file as networks want them: what is quantised is made whole, and what belongs to that is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from modules.engine.models.single_file.ggml import unpacked
from modules.engine.models.single_file.tensor_file import Progress, TensorFile
from modules.errors import ModelError
from modules.jobs.models.detection.number_formats import number_format
from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.tensor_header import TensorEntry

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
# The names that a weight's scale goes by: "layer.scale_weight" and "layer.weight_scale" are those of "layer.weight".
_SCALES = (".scale_weight", ".weight_scale")
# What lies beside a quantised weight and only concerns processors that compute with it as it is.
_BESIDE = (*_SCALES, ".scale_input", ".input_scale", ".comfy_quant")
_MARKER = "scaled_fp8"


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor in a file, with the name of its scale if it has one."""

    file: TensorFile
    name: str
    scale: str | None = None

    @property
    def entry(self) -> TensorEntry:
        """What the file says of it."""
        return self.file.header.tensors[self.name]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.entry.shape

    @property
    def dtype(self) -> torch.dtype:
        """The number format that it has when it is read: what is made whole is so in float32."""
        return torch.float32 if self.scale else DTYPES.get(self.entry.dtype, torch.float32)

    @property
    def place(self) -> tuple[str, int]:
        """Where it lies: reading in this order is quickest."""
        return str(self.file.path), self.entry.start

    @property
    def bytes(self) -> int:
        """How many bytes of the file it takes."""
        return self.entry.end - self.entry.start

    def read(self, progress: Progress) -> torch.Tensor:
        """Return it in memory of its own, one with a scale times that: one for all, or one for each row."""
        held = self.file.read(self.name, progress)
        if self.entry.dtype not in DTYPES:
            return unpacked(held, self.entry)
        tensor = held.view(DTYPES[self.entry.dtype]).reshape(self.shape)
        if self.scale is None:
            return tensor
        scale = Stored(self.file, self.scale).read(progress).to(torch.float32)
        if scale.numel() > 1:
            scale = scale.reshape(-1, *[1] * (tensor.ndim - 1))
        return tensor.to(torch.float32) * scale


def stored_tensors(file: TensorFile) -> dict[str, Stored]:
    """Return the tensors of a file by name.

    Raises:
        ModelError: they are stored in a way that this version cannot read; the message names it.
    """
    names = file.header.tensors
    numbers = number_format(file.header, Tensors(names))
    if not numbers.readable:
        raise _refusal(file, numbers.name)
    found: dict[str, Stored] = {}
    for name in names:
        if name.endswith(_BESIDE) or name.rpartition(".")[2] == _MARKER:
            continue
        bare = name.removesuffix(".weight")
        scale = next((bare + suffix for suffix in _SCALES if bare != name and bare + suffix in names), None)
        if scale is not None and names[scale].elements not in (1, *names[name].shape[:1]):
            raise _refusal(file, "fp8 with a scale for each block")
        found[name] = Stored(file, name, scale)
    return found


def _refusal(file: TensorFile, label: str) -> ModelError:
    return ModelError(
        f"{file.path} is stored as {label}, which this version cannot draw with: "
        "use a file of the same model in bf16, fp16 or fp8."
    )
