"""Tell what a UNet predicts, the noise or the velocity ("v"): its tensors are the same, so other things speak."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.tensor_header import TensorHeader
from modules.jobs.models.untrusted_file import read_bounded

# The norm whose values tell v-prediction in Stable Diffusion 2, under both names.
_TELLING = (
    "output_blocks.11.1.transformer_blocks.0.norm1.bias",
    "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias",
)
_SPREAD_OF_V = 0.09
_MOST_VALUES = 10_000
_LARGEST_YAML_BYTES = 200_000
_PARAMETERIZATION = re.compile(r"""^\s*parameterization\s*:\s*["']?(v|eps)\b""", re.MULTILINE)
_V_IN_NAME = re.compile(r"v[-_ ]?pred", re.IGNORECASE)
EPSILON, V = "epsilon", "v"


def unet_prediction(
    header: TensorHeader, family: str, variant: str, core: Tensors, prefix: str, name: str
) -> tuple[str, bool]:
    """Return what it predicts, and whether its noise ends in nothing but noise (zero terminal SNR).

    In the order in which it is believed: `name.yaml` beside the file, markers in it, its metadata, its values, `name`.
    """
    zero = "ztsnr" in header.tensors
    said = _from_yaml(header.path) or _from_markers(header) or _from_metadata(header)
    if said is None and family == "sd2" and variant in ("", "turbo"):
        said = _from_values(header, core, prefix)
    if said is None and _V_IN_NAME.search(name):
        said = V
    return said or EPSILON, zero and said == V


def _from_yaml(path: Path) -> str | None:
    """Return what A1111's side-car says. No YAML is parsed: one line of it is looked for."""
    try:
        text = read_bounded(path.with_suffix(".yaml"), _LARGEST_YAML_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return None
    found = _PARAMETERIZATION.search(text)
    return None if found is None else V if found[1] == "v" else EPSILON


def _from_markers(header: TensorHeader) -> str | None:
    return V if "v_pred" in header.tensors or "edm_vpred.sigma_max" in header.tensors else None


def _from_metadata(header: TensorHeader) -> str | None:
    said = header.metadata.get("modelspec.prediction_type", "").casefold()
    if said in ("v", "v_prediction"):
        return V
    if header.metadata.get("modelspec.architecture", "").casefold() == "stable-diffusion-v2-768-v":
        return V
    return EPSILON if said == "epsilon" else None


def _from_values(header: TensorHeader, core: Tensors, prefix: str) -> str | None:
    """Return what the values of one norm say, as ComfyUI has it: those of a v-prediction model lie further apart."""
    for name in _TELLING:
        if name not in core:
            continue
        try:
            values = _numbers(header.read(prefix + name), core.entries[name].dtype)
        except (OSError, ValueError):
            return None
        if not values:
            return None
        mean = sum(values) / len(values)
        spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
        return V if spread > _SPREAD_OF_V else EPSILON
    return None


def _numbers(data: bytes, dtype: str) -> tuple[float, ...]:
    """Return the numbers of a small tensor of floats, () where it is of another kind."""
    code, width = {"F32": ("f", 4), "F16": ("e", 2), "BF16": ("f", 2), "F64": ("d", 8)}.get(dtype, ("", 1))
    count = min(len(data) // width, _MOST_VALUES)
    if not code or not count:
        return ()
    data = data[: count * width]
    if dtype == "BF16":  # The upper half of a float of 32 bits.
        data = b"".join(b"\0\0" + data[at : at + 2] for at in range(0, len(data), 2))
    return struct.unpack(f"<{count}{code}", data)
