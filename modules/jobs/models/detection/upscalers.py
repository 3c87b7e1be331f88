"""Tell models that make pictures larger or cleaner: by the first layers of the architectures that people have."""

from __future__ import annotations

from modules.jobs.models.detection.tensors import Tensors

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
    ("GFPGAN", ("stylegan_decoder.constant_input.weight",)),
    ("LaMa", ("model.model.1.ffc.convl2l.weight",)),
    ("NAFNet", ("intro.weight", "middle_blks.0.")),
)


def find_upscaler(tensors: Tensors) -> str | None:
    """Return what people call it, None where it is none that is known."""
    for label, names in _SIGNS:
        if all(tensors.begins(name) if name.endswith(".") else name in tensors for name in names):
            return label
    return None
