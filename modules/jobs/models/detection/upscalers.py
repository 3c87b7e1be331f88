"""Tell models that make pictures larger or cleaner: by the first layers of the architectures that people have."""

from __future__ import annotations

import math
import re

from modules.jobs.models.detection.tensors import Tensors

# Those that work on faces alone; the last one finds them.
GFPGAN, CODEFORMER, RESTOREFORMER, RETINAFACE = "GFPGAN", "CodeFormer", "RestoreFormer", "RetinaFace"
OF_FACES = (GFPGAN, CODEFORMER, RESTOREFORMER, RETINAFACE)
# What a file of RetinaFace is called everywhere.
_DETECTOR_FILE = "detection_resnet50"

# All names of one line are there, the first line that fits counts. A name that ends in "." stands for a beginning.
_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ESRGAN", ("model.0.weight", "model.1.sub.0.")),
    ("ESRGAN", ("conv_first.weight", "body.0.rdb1.")),
    ("ESRGAN", ("conv_first.weight", "RRDB_trunk.0.")),
    ("SwinIR", ("conv_first.weight", "layers.0.residual_group.blocks.0.attn.relative_position_bias_table")),
    ("DAT", ("conv_first.weight", "before_RG.1.weight")),
    ("HAT", ("conv_first.weight", "layers.0.residual_group.overlap_attn.")),
    ("an upscaler", ("conv_first.weight",)),
    ("SPAN", ("block_1.c1_r.",)),
    ("RealPLKSR", ("feats.0.weight", "feats.1.")),
    ("OmniSR", ("residual_layer.0.", "input.weight")),
    ("SCUNet", ("m_head.0.weight", "m_tail.0.weight")),
    ("a compact upscaler", ("body.0.weight", "body.1.weight", "body.2.weight")),
    (GFPGAN, ("stylegan_decoder.constant_input.weight",)),
    (RESTOREFORMER, ("encoder.conv_in.weight", "quantize.embedding.weight")),
    (CODEFORMER, ("quantize.embedding.weight", "position_emb")),
    (RETINAFACE, ("body.conv1.weight", "ClassHead.0.conv1x1.weight", "LandmarkHead.0.conv1x1.weight")),
    ("LaMa", ("model.model.1.ffc.convl2l.weight",)),
    ("NAFNet", ("intro.weight", "middle_blks.0.")),
)


def find_upscaler(tensors: Tensors) -> str | None:
    """Return what people call it, None where it is none that is known."""
    for label, names in _SIGNS:
        if all(tensors.begins(name) if name.endswith(".") else name in tensors for name in names):
            return label
    return None


def find_scale(tensors: Tensors, label: str) -> int | None:
    """Return how many times larger an upscaler makes a picture, None where its shapes do not tell that plainly."""
    if label == "ESRGAN":
        return _scale_of_esrgan(tensors)
    if label == "a compact upscaler":
        colours = tensors.side(1, "body.0.weight")
        last = _last_of_compact(tensors)
        return math.isqrt(last // colours) if colours and last and last % colours == 0 else None
    return None


def scale_in_name(name: str) -> int | None:
    """Return how many times larger a file's name says: "4x_foot", "RealESRGAN_x2plus"; None: it does not say it."""
    found = _SCALE_IN_NAME.search(name.casefold())
    return int(found[1] or found[2]) if found else None


def told_restorer(name: str) -> str:
    """Return which restorer of faces a file is by its name alone, "" when it does not say so."""
    if _DETECTOR_FILE in name.casefold():
        return RETINAFACE
    return next((restorer for restorer in OF_FACES if restorer.casefold() in name.casefold()), "")


_SCALE_IN_NAME = re.compile(r"(?<![0-9a-z])(?:([1-8])x|x([1-8]))(?![0-9])")


def _scale_of_esrgan(tensors: Tensors) -> int | None:
    """Each doubling has a layer of its own. Some see pictures of a half or a quarter, with their pixels as channels."""
    if "model.0.weight" in tensors:
        numbers = [int(name.split(".")[1]) for name in tensors if re.fullmatch(r"model\.\d+\.weight", name)]
        doublings = (max(numbers) - 4) // 3
    else:
        doublings = sum(tensors.has_any(f"conv_up{number}.weight", f"upconv{number}.weight") for number in range(1, 5))
    seen = tensors.side(1, "model.0.weight", "conv_first.weight")
    last = "conv_last.weight" if "conv_last.weight" in tensors else f"model.{doublings * 3 + 4}.weight"
    colours = tensors.side(0, last)
    if not seen or not colours or seen % colours:
        return None
    shrunk = math.isqrt(seen // colours)
    return 2**doublings // shrunk if 2**doublings >= shrunk else None


def _last_of_compact(tensors: Tensors) -> int | None:
    numbers = [int(name.split(".")[1]) for name in tensors if re.fullmatch(r"body\.\d+\.weight", name)]
    return tensors.side(0, f"body.{max(numbers)}.weight") if numbers else None
