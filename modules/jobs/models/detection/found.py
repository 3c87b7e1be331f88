"""What a file of weights was found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# A checkpoint is a denoiser with its companions, some or all; a denoiser has none. "adapter" is what is put beside a
# denoiser to give it a picture (T2I-Adapter, IP-Adapter, Redux …), "image_encoder" what such a one sees with.
Role = Literal[
    "checkpoint", "denoiser", "vae", "tiny_vae", "text_encoder", "image_encoder", "lora", "embedding", "controlnet",
    "adapter", "upscaler", "face_restorer", "video", "unknown",
]  # fmt: skip
# Whose names the tensors have: those of who made the model, or those of diffusers and transformers.
Layout = Literal["original", "diffusers"]


@dataclass(frozen=True)
class Found:
    """What a file is. Of what does not apply, or is not known, nothing is said: "" or None.

    `family` is a name of `families.py`, or the class of its pipeline where that has none; `label` what people call it.
    `prefix` stands before the names of the denoiser's tensors. `parts` are those of the pipeline that are inside, and
    `needs` the others that it is drawn with, each with the kind of text encoder or VAE that does it.
    `scale` is how many times larger an upscaler makes pictures.
    `kind` of a text encoder or VAE is one of `family_facts.py`, or a name of one that no family here has.
    `problem` goes on after the file's name; None: it can be used for what it is.
    """

    role: Role
    family: str = ""
    variant: str = ""
    label: str = ""
    prediction: str = ""
    zero_terminal_snr: bool = False
    number_format: str = ""
    container: str = ""
    layout: Layout | None = None
    prefix: str = ""
    parts: frozenset[str] = frozenset()
    needs: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    latent_channels: int | None = None
    native_side: int | None = None
    scale: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Core:
    """What a denoiser was found to be. `later`: why this version cannot draw with it."""

    family: str
    layout: Layout
    variant: str = ""
    label: str = ""
    video: bool = False
    later: str | None = None
