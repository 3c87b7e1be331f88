"""Any other text-to-image pipeline of diffusers: driven by what its call takes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.engine.families.base import Asked, Family

_DENOISERS = ("transformer", "unet", "prior", "decoder")


@dataclass(frozen=True)
class Traits:
    """What no signature says of a pipeline.

    `from_zero`: its guidance counts from 0 where others count from 1. `embedded`: its `guidance_scale` is an input of
    the denoiser. `sign`, `negative_first`, `slow`, `float32_only` and `one_text` are those of a `Family`, and so is
    `multiple`.
    """

    from_zero: bool = False
    embedded: bool = False
    sign: int = 1
    negative_first: bool = True
    slow: tuple[str, ...] = ("encode_prompt",)
    multiple: int = 16
    float32_only: bool = False
    one_text: bool = False


_TRAITS: Mapping[str, Traits] = {
    "DreamLiteMobilePipeline": Traits(embedded=True, one_text=True),
    "DreamLitePipeline": Traits(one_text=True),
    "GlmImagePipeline": Traits(slow=("encode_prompt", "generate_prior_tokens"), multiple=32),
    "HiDreamImagePipeline": Traits(sign=-1),
    "HunyuanDiTPAGPipeline": Traits(float32_only=True),
    "HunyuanDiTPipeline": Traits(float32_only=True),
    "HunyuanImagePipeline": Traits(float32_only=True),
    "Ideogram4Pipeline": Traits(sign=-1),
    "Kandinsky3Pipeline": Traits(from_zero=True, multiple=64),
    "Krea2Pipeline": Traits(from_zero=True),
    "LuminaPipeline": Traits(sign=-1, negative_first=False),
    "NucleusMoEImagePipeline": Traits(sign=-1),
    "SanaSprintPipeline": Traits(embedded=True),
}


class Generic(Family):
    """A family of one pipeline."""

    def __init__(self, pipeline: Any) -> None:
        self.name = pipeline.__name__
        self.pipeline = pipeline
        self.classes = (self.name,)
        parts = inspect.signature(pipeline.__init__).parameters
        self.denoiser = next((name for name in _DENOISERS if name in parts), "transformer")
        self._traits = _TRAITS.get(self.name, Traits())
        self.sign, self.negative_first = self._traits.sign, self._traits.negative_first
        self.slow = self._traits.slow
        self.float32_only, self.one_text = self._traits.float32_only, self._traits.one_text
        self._takes = frozenset(inspect.signature(pipeline.__call__).parameters)

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return the scale under the name that it has; one that the denoiser is told where it takes one."""
        scale, distilled = asked.guidance_scale, asked.distilled_guidance_scale
        told = {} if distilled is None else {"guidance_scale": distilled, "distilled_guidance_scale": distilled}
        if self._traits.embedded:
            return told
        if "true_cfg_scale" in self._takes:
            return {"true_cfg_scale": scale, **told}
        counted = max(scale - 1, 0.0) if self._traits.from_zero else scale
        return {**told, "guidance_scale": counted}

    def multiple(self, pipeline: Any) -> int:
        """Return what a latent, or a patch of several, is wide."""
        scale = getattr(pipeline, "vae_scale_factor", None)
        patch = getattr(pipeline, self.denoiser).config.get("patch_size")
        wide = (scale if isinstance(scale, int) else 8) * (patch if isinstance(patch, int) else 1)
        return math.lcm(self._traits.multiple, wide)
