"""Tell how the numbers of a denoiser are stored, and whether that is read here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.tensor_header import TensorHeader

_NAMES = {
    "F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16", "F8_E4M3": "fp8_e4m3fn", "F8_E5M2": "fp8_e5m2",
    "I8": "int8", "U8": "uint8",
}  # fmt: skip
_FP8 = ("fp8_e4m3fn", "fp8_e5m2")
PLAIN = frozenset({"fp64", "fp32", "fp16", "bf16", *_FP8})
# With a scale for each layer, which is multiplied in before anything else is done.
SCALED = frozenset({*(f"{name}_scaled" for name in _FP8), "int8_scaled"})
# What the package gguf unpacks, and what needs no unpacking.
GGUF = frozenset({
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ1_S",
    "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "NVFP4",
})  # fmt: skip
# ComfyUI's names of those that are read.
_COMFY = {"float8_e4m3fn": "fp8_e4m3fn_scaled", "float8_e5m2": "fp8_e5m2_scaled", "int8_tensorwise": "int8_scaled"}
_SCALES = ("weight_scale", "scale_weight")
_GGUF_PLAIN = {"F32": "fp32", "F16": "fp16", "BF16": "bf16"}
_LONGEST_JSON = 4_000_000


@dataclass(frozen=True)
class NumberFormat:
    """How most of a file's numbers are stored, and whether they can be read here."""

    name: str
    readable: bool


def number_format(header: TensorHeader, core: Tensors, prefix: str = "") -> NumberFormat:
    """Return the format of most numbers of a part of a file, whose names in it begin with `prefix`."""
    most = _most(core)
    if header.container == "gguf":
        kinds = {entry.dtype for entry in core.entries.values()}
        unread = sorted(kinds - GGUF)
        return NumberFormat(unread[0] if unread else _GGUF_PLAIN.get(most, most), not unread)
    name = _NAMES.get(most, most)
    quantised = _quantised(header, core, prefix, name)
    if quantised is not None:
        return quantised
    return NumberFormat(name, name in PLAIN)


def _most(core: Tensors) -> str:
    """Return the kind of number that there is most of."""
    counts: Counter[str] = Counter()
    for entry in core.entries.values():
        counts[entry.dtype] += entry.elements
    return counts.most_common(1)[0][0] if counts else ""


def _quantised(header: TensorHeader, core: Tensors, prefix: str, name: str) -> NumberFormat | None:
    """Return the format of one that is stored as more than its numbers, None where it is not."""
    last = {one.rpartition(".")[2] for one in core}
    foreign = _foreign(core, last)
    if foreign is not None:
        return NumberFormat(foreign, False)
    formats = set(_comfy_formats(header, core, prefix))
    unread = sorted(one for one in formats if one not in _COMFY)
    if unread:
        return NumberFormat(unread[0], False)
    if "weight_scale_2" in last:
        return NumberFormat("nvfp4", False)
    if not (formats or last & {*_SCALES, "scaled_fp8"}):
        return None
    return _scaled(core, formats, name)


def _scaled(core: Tensors, formats: Set[str], name: str) -> NumberFormat | None:
    """Return the format of one with scales: read where there is one for a whole layer, or one for each row of it."""
    for one, scale in core.entries.items():
        before, _, last = one.rpartition(".")
        weight = core.entries.get(f"{before}.weight") if last in _SCALES else None
        if weight is not None and scale.elements not in (1, *weight.shape[:1]):
            return NumberFormat("mxfp8" if scale.dtype in ("F8_E8M0", "U8") else f"{name} scaled in blocks", False)
    if "int8_tensorwise" in formats:
        return NumberFormat("int8_scaled", True)
    if name in ("uint8", "int8"):
        return NumberFormat(name, False)
    fp8 = next((_NAMES[one.dtype] for one in core.entries.values() if _NAMES.get(one.dtype) in _FP8), None)
    return NumberFormat(f"{fp8}_scaled", True) if fp8 is not None else None


def _foreign(core: Tensors, last: set[str]) -> str | None:
    """Return the name of a format that is made for one library alone."""
    if any(one.startswith("bitsandbytes__") for one in last):
        return "nf4" if "bitsandbytes__nf4" in last else "fp4"
    if last & {"SCB", "weight_format"}:
        return "int8 of bitsandbytes"
    if "qweight" in last and last & {"wscales", "wzeros", "smooth", "smooth_factor", "proj_down"}:
        return "nunchaku"
    if "qweight" in last:
        return "GPTQ or AWQ"
    if "absmax" in last:
        return "4 bits of bitsandbytes"
    if last & {"zero_point", "svd_up"} or _has_sdnq_scales(core):
        return "SDNQ"
    return None


def _has_sdnq_scales(core: Tensors) -> bool:
    """Tell whether layers of whole numbers have a scale beside them; norms have one too, and no such weight."""
    return any(
        name.endswith(".scale") and (entry := core.entries.get(f"{name[:-6]}.weight")) and entry.dtype in ("I8", "U8")
        for name in core
    )


def _comfy_formats(header: TensorHeader, core: Tensors, prefix: str) -> Iterator[str]:
    """Yield what the layers of one that ComfyUI made are stored as: one layer of each kind of number is asked."""
    yield from _from_metadata(header.metadata)
    asked: set[str] = set()
    for name in core:
        if not name.endswith(".comfy_quant"):
            continue
        weight = core.entries.get(f"{name.removesuffix('comfy_quant')}weight")
        kind = weight.dtype if weight is not None else ""
        if kind in asked:
            continue
        asked.add(kind)
        try:
            said = json.loads(header.read(prefix + name))
        except (OSError, ValueError, RecursionError):
            said = None
        yield str(said.get("format", ""))[:40] if isinstance(said, dict) else "comfy_quant that cannot be read"


def _from_metadata(metadata: Mapping[str, str]) -> Iterator[str]:
    text = metadata.get("_quantization_metadata", "")
    try:
        said = json.loads(text) if 0 < len(text) <= _LONGEST_JSON else None
    except (ValueError, RecursionError):
        return
    layers = said.get("layers") if isinstance(said, dict) else None
    for layer in layers.values() if isinstance(layers, dict) else ():
        if isinstance(layer, dict) and isinstance(layer.get("format"), str):
            yield layer["format"][:40]
