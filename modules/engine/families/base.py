"""What a kind of model needs to be drawn with, with defaults that do for most.

A pipeline of diffusers says by the signature of its call what it can be given. What it does not say is here.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from modules.engine.families.driver import drive
from modules.engine.samplers.choice import choose_sampler
from modules.engine.samplers.proxy import Sampler, SchedulerProxy

Factors = tuple[tuple[float, float, float], ...]
# What a pipeline reads of the words: keyword arguments of its call.
Words = Mapping[str, Any]
# Return what was made of a text before, else make it.
Remember = Callable[[str, Callable[[str], torch.Tensor]], torch.Tensor]


class NotNumbers(Exception):  # noqa: N818  (what is wrong is told by who knows the model's name)
    """A decoder gave a picture without numbers."""


class Family:
    """Models that are drawn with in the same way. It holds nothing: the pipeline is given to each method.

    `left_out` are components that drawing does not need: they are not loaded. `latent_rgb`: red, green and blue
    (-1..1) that one unit of each latent channel adds, for previews of models that bring no `preview.json`.
    `negative_first`: in a batch of both, the denoiser is asked about the negative prompt first.
    """

    name: ClassVar[str]
    pipeline: ClassVar[Any]
    denoiser: ClassVar[str] = "transformer"
    left_out: ClassVar[frozenset[str]] = frozenset()
    latent_rgb: ClassVar[Factors] = ()
    negative_first: ClassVar[bool] = True

    def encode(
        self, pipeline: Any, prompt: str, negative_prompt: str, guidance_scale: float, remember: Remember
    ) -> Words:
        """Return what the pipeline reads of the words; as they are, it encodes them itself."""
        return {"prompt": prompt, "negative_prompt": negative_prompt}

    def sampler(self, pipeline: Any, name: str, schedule: str, steps: int, shift: float | None = None) -> Sampler:
        """Return a sampler under A1111's name; `shift` moves the steps of a flow model, None: as much as its own."""
        return choose_sampler(pipeline.scheduler, name, schedule, steps, shift)

    def multiple(self, pipeline: Any) -> int:
        """Return of how many pixels the sides of a picture must be multiples."""
        return 16

    def channels(self, pipeline: Any) -> int | None:
        """Return how many channels the noise has; None: as the pipeline says, and so packed as it packs them."""
        return None

    def guidance(self, scale: float, distilled: float | None = None) -> dict[str, Any]:
        """Return the arguments for classifier-free guidance, where 1 is none.

        `distilled` is the scale that is an input of the denoiser, for families with one; None: the family's own.
        """
        return {"guidance_scale": scale}

    def arguments(
        self,
        pipeline: Any,
        words: Words,
        size: tuple[int, int],
        steps: int,
        guidance_scale: float,
        pictures: int,
        distilled_guidance_scale: float | None = None,
    ) -> dict[str, Any]:
        """Return the arguments of the pipeline's call, of those that any pipeline has.

        A side of `size` (width, height) that is no multiple is made larger; the picture is cut to its size.
        """
        multiple = self.multiple(pipeline)
        width, height = (-(-side // multiple) * multiple for side in size)
        wanted = {
            **words, **self.guidance(guidance_scale, distilled_guidance_scale), "width": width, "height": height,
            "num_inference_steps": steps, "num_images_per_prompt": pictures, "output_type": "latent",
        }  # fmt: skip
        known = inspect.signature(pipeline.__call__).parameters
        return {name: value for name, value in wanted.items() if name in known}

    def said_alone(self, said: Sequence[torch.Tensor], pictures: int) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return what the denoiser said to the prompt alone and to the negative one alone; None: there is one only.

        `said` is all that it said since the last step, in a batch of both or in two calls, of which the prompt's is the
        first.
        """
        if len(said) == 2 and all(len(one) == pictures for one in said):
            return said[0], said[1]
        if len(said) != 1 or len(said[0]) != 2 * pictures:
            return None
        first, second = said[0].chunk(2)
        return (second, first) if self.negative_first else (first, second)

    def can_tile(self, pipeline: Any, size: tuple[int, int]) -> bool:
        """Tell whether pictures of this size can be decoded in tiles, which takes less memory."""
        return False

    def decode(self, pipeline: Any, latents: torch.Tensor, size: tuple[int, int], save_memory: bool) -> Image.Image:
        """Return the picture of one picture's latents, (1, …) as the scheduler sees them; to save memory, in tiles.

        A pass of no steps: the pipeline's own end unpacks, scales and decodes.

        Raises:
            Interrupted: the job was stopped between two blocks of the decoder.
            NotNumbers: the latents, or what the decoder makes of them, are no numbers.
        """
        words = {"prompt": "", "negative_prompt": ""}
        arguments = self.arguments(pipeline, words, size, steps=1, guidance_scale=1.0, pictures=1)
        arguments |= {"output_type": "pt", "generator": [torch.Generator()]}
        shown = SchedulerProxy(Sampler(copy.deepcopy(pipeline.scheduler)), end=0)
        pixels = drive(pipeline, arguments, shown, latents)[0]
        if not torch.isfinite(pixels).all():
            raise NotNumbers
        processor = pipeline.image_processor
        picture: Image.Image = processor.numpy_to_pil(processor.pt_to_numpy(pixels))[0]
        return picture
