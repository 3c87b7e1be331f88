"""What is known of a family of models before anything is loaded: the words of the table in `family_table.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# How a family is guided by the words.
# "cfg": by the difference to the negative prompt, where 1 is none. "distilled": the scale is an input of the denoiser,
# and a negative prompt has a part in it only with a cfg_scale above 1. "none": not at all.
Guidance = Literal["cfg", "distilled", "none"]
# What a denoiser predicts.
Prediction = Literal["epsilon", "v", "flow", "edm"]
# A set of latents that several families share: the weights of one may decode another's, with that one's scaling.
VaeKind = Literal["sd", "sdxl", "sd3", "flux", "flux2", "qwen-image", "dc-ae"]
# Whether an instruct model has to be told of a picture that it changes; all others begin with it.
ToldOfPicture = Literal["always", "if given"]
# Text encoders under ComfyUI's names.
TextEncoder = Literal[
    "clip_l", "clip_h", "clip_g", "t5xxl", "qwen3_4b", "qwen3_8b", "qwen25_7b", "gemma2_2b", "mistral3_24b"
]  # fmt: skip

LATENT_CHANNELS: Mapping[VaeKind, int] = {
    "sd": 4, "sdxl": 4, "sd3": 16, "flux": 16, "flux2": 32, "qwen-image": 16, "dc-ae": 32,
}  # fmt: skip
# Families whose denoisers can be shown a part of a picture by its latents alone: others are told where each one is.
DRAWN_IN_TILES = frozenset({"sd1", "sd2", "sdxl", "sdxl-refiner", "sd3", "z-image", "lumina2", "sana", "pixart-sigma"})

# Families whose denoisers are networks of convolutions alone beside attention to words: their edges can be joined.
TILE_SEAMLESSLY = frozenset({"sd1", "sd2", "sdxl", "sdxl-refiner"})
# Families whose guidance can be kept from making contrasts larger (https://arxiv.org/abs/2305.08891, section 3.4).
RESCALE_GUIDANCE = frozenset({"sd1", "sd2", "sdxl", "sdxl-refiner"})


@dataclass(frozen=True)
class VariantFacts:
    """What a variant has of its own; None: as its family. `later` names what it needs that this version cannot give.

    `label` goes on after that of its family, or with `whole_label` stands for it.
    `told_of_picture`: it changes a picture that it is told of, "always", or draws without one too, "if given".
    `words` of a file's name speak for it, case-folded, where the weights show one of `within` and cannot tell further.
    """

    name: str
    label: str
    words: tuple[str, ...] = ()
    within: tuple[str, ...] = ("",)
    guidance: Guidance | None = None
    native_side: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    distilled_cfg_scale: float | None = None
    shift: float | None = None
    sampler_name: str | None = None
    schedule: str | None = None
    text_encoders: Mapping[str, TextEncoder] | None = None
    later: str | None = None
    told_of_picture: ToldOfPicture | None = None
    whole_label: bool = False


@dataclass(frozen=True)
class FamilyFacts:
    """A family. `pipelines` are the classes that `model_index.json` may name in a folder of its models.

    `flow`: its models predict a flow, not noise. Steps, cfg_scale and distilled_cfg_scale (what a distilled denoiser is
    given as its scale) are those of its card; `native_side` is in pixels, `multiple` that of which the sides of a
    picture must be. `shift` is that of a flow's noise levels, None: worked out from the size, or no flow.
    `text_encoders` by their part's name in the pipeline; it draws without those of `optional_encoders`.
    `single_file`: people have it as a single file, and this version draws with that.
    `later` names what a variant needs that this version cannot give it, None: it draws.
    """

    name: str
    label: str
    pipelines: tuple[str, ...]
    flow: bool = True
    guidance: Guidance = "cfg"
    native_side: int = 1024
    multiple: int = 16
    steps: int = 28
    cfg_scale: float = 4.0
    distilled_cfg_scale: float | None = None
    shift: float | None = None
    sampler_name: str = "Euler"
    schedule: str = "Automatic"
    denoiser: Literal["unet", "transformer"] = "transformer"
    text_encoders: Mapping[str, TextEncoder] = field(default_factory=dict)
    optional_encoders: frozenset[str] = frozenset()
    vae: VaeKind = "flux"
    single_file: bool = True
    variants: tuple[VariantFacts, ...] = ()
    later: str | None = None
    told_of_picture: ToldOfPicture | None = None

    @property
    def prediction(self) -> Prediction:
        """What its denoiser predicts, where the model does not say otherwise."""
        return "flow" if self.flow else "epsilon"
