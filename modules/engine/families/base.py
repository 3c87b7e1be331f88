"""What a kind of model needs to be drawn with, with defaults that do for most.

A pipeline of diffusers says by the signature of its call what it can be given. What it does not say is here.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from modules.engine.families.driver import drive, noise_of, noticing_start
from modules.engine.families.latent_layout import (
    Decoded,
    KeepingDecoder,
    Layout,
    known_layout,
    known_layout_of,
    plain_layout,
    remember_layout,
)
from modules.engine.families.picture_latents import spatial_of
from modules.engine.families.reading import Reading, Texts, as_many
from modules.engine.families.telling import Told
from modules.engine.families.vae_tiles import can_tile, choose_tiling
from modules.engine.families.word_memory import answering_with_anything, remember_words
from modules.engine.samplers.choice import choose_sampler
from modules.engine.samplers.proxy import Sampler, SchedulerProxy
from modules.errors import ModelError
from modules.jobs.kinds.base import Noise, Pass
from modules.jobs.models.family_facts import DRAWN_IN_TILES

# What a pipeline reads of the words: keyword arguments of its call.
Words = Mapping[str, Any]
# Return what was made of a text before, by what tells it from others, else make it.
Remember = Callable[[Hashable, Callable[[], Any]], Any]

# What pipelines do beyond drawing what they are told: changing the size, or the words. It is switched off.
_SWITCHES: Mapping[str, Any] = {
    "use_resolution_binning": False,
    "clean_caption": False,
    "enable_prompt_rewrite": False,
    "use_pe": False,
    "prompt_upsampling": False,
    "guidance_schedule": None,
}


class NotNumbers(Exception):  # noqa: N818  (what is wrong is told by who knows the model's name)
    """A decoder gave a picture without numbers, or an encoder latents without."""


@dataclass(frozen=True)
class Asked:
    """What a pass asks of a pipeline beside the words. `size`: (width, height) in pixels; guidance of 1 is none.

    `distilled_guidance_scale` is for denoisers that have guidance as an input; None: as the family's card says.
    `clip_skip` is the layer of CLIP that reads the words, counted from the last; families that have no use for it read
    them as ever. `reading` is how words are read beside that. `guidance_rescale` keeps guidance from making contrasts
    larger, 0 to 1, where a pipeline knows it.
    """

    size: tuple[int, int] = (512, 512)
    steps: int = 1
    guidance_scale: float = 1.0
    pictures: int = 1
    distilled_guidance_scale: float | None = None
    clip_skip: int = 1
    reading: Reading = field(default_factory=Reading)
    guidance_rescale: float = 0.0

    @classmethod
    def by(cls, one: Pass, pictures: int) -> Asked:
        """Return what a pass of a job asks for, for so many pictures at once."""
        return cls(
            (one.width, one.height), one.steps, one.cfg_scale, pictures, one.distilled_cfg_scale,
            guidance_rescale=one.guidance_rescale,
        )  # fmt: skip


class Family:
    """Models that are drawn with in the same way. It holds nothing: the pipeline is given to each method.

    `name` is that of `jobs/models/families.py`, `pipeline` always the text-to-image class; `classes` are those that a
    folder's `model_index.json` names where it is drawn with this one. `denoiser` is the component's name. `left_out`
    are components that drawing does not need: they are not loaded. `negative_first`: in a batch of both, the denoiser
    is asked about the negative prompt first. `sign` is -1 where the pipeline turns round what the denoiser says. `slow`
    are the methods whose answers are kept, beside the text encoders' own. `plain`: the latents are (batch, channels,
    height, width) as the VAE takes them, but for scale and shift. `float32_only`: the pipeline fails in half precision.
    `variant` is the one of `name` that it alone is for. `told_by_latents`: what it is told of pictures are latents.
    `takes_weights`: words can count more and less than others; elsewhere weights are taken out of the text.
    `one_text`: pictures that are drawn at once have the same words.
    """

    name: str
    pipeline: Any
    classes: tuple[str, ...] = ()
    denoiser: str = "transformer"
    left_out: frozenset[str] = frozenset({"image_encoder", "feature_extractor", "safety_checker"})
    negative_first: bool = True
    sign: int = 1
    slow: tuple[str, ...] = ("encode_prompt",)
    plain: bool = False
    float32_only: bool = False
    variant: str = ""
    told_by_latents: bool = True
    takes_weights: bool = False
    one_text: bool = False

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Return what the pipeline reads of the words; as they are, it encodes them itself, and remembers that.

        A pass of no steps lets it do so now. Of prompts there is one for all pictures, or one for each. `remember` is
        for families that have their own way with words.

        Raises:
            Interrupted: the job was stopped between two layers of a text encoder.
        """
        remember_words(pipeline, self.slow)
        words = self.words_alone(prompts, negative_prompts, asked)
        self._without_steps(pipeline, self.arguments(pipeline, words, asked))
        return words

    def words_alone(self, prompts: Texts, negative_prompts: Texts, asked: Asked) -> Words:
        """Return the words for a pipeline that encodes them itself: without weights, in a list where they differ.

        Raises:
            ModelError: they differ, and the pipeline takes one text.
        """

        def said(texts: Texts) -> str | list[str]:
            alone = [asked.reading.words_alone(text.said) for text in texts]
            return alone[0] if len(alone) == 1 else alone

        prompts, negative_prompts = as_many(prompts, negative_prompts)
        if self.one_text and len(prompts) > 1:
            raise ModelError("This model reads one prompt at a time: use batch size 1, and a larger batch count.")
        return {"prompt": said(prompts), "negative_prompt": said(negative_prompts)}

    def sampler(
        self,
        pipeline: Any,
        name: str,
        schedule: str,
        steps: int,
        shift: float | None = None,
        noise: Noise | None = None,
    ) -> Sampler:
        """Return a sampler under A1111's name; `shift` moves the steps of a flow model, None: as much as its own.

        `noise` is what it adds on the way, None: as always.
        """
        return choose_sampler(pipeline.scheduler, name, schedule, steps, shift, noise)

    def multiple(self, pipeline: Any) -> int:
        """Return of how many pixels the sides of a picture must be multiples."""
        return 16

    def channels(self, pipeline: Any) -> int | None:
        """Return how many channels the noise has; None: as the pipeline says, and so packed as it packs them."""
        return None

    def takes_mask(self, pipeline: Any) -> bool:
        """Tell whether the denoiser is to be told which part of a picture is drawn anew, and of the rest of it."""
        return False

    def needs_picture(self, pipeline: Any) -> bool:
        """Tell whether the denoiser changes pictures, so that it is to be told of one."""
        return False

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None] | None:
        """Return what has the denoiser told of pictures while it is entered; None: it can be told of none."""
        return None

    def told_arguments(self, told: Told) -> dict[str, Any]:
        """Return the arguments by which the pipeline's call is told of pictures."""
        return {}

    def mending(self, pipeline: Any) -> AbstractContextManager[None]:
        """Return what puts right, while it is entered, what a pipeline hands its denoiser."""
        return nullcontext()

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return the arguments for classifier-free guidance, where 1 is none."""
        return {"guidance_scale": asked.guidance_scale}

    def arguments(self, pipeline: Any, words: Words, asked: Asked) -> dict[str, Any]:
        """Return the arguments of the pipeline's call, of those that any pipeline has.

        A side that is no multiple is made larger; the picture is cut to its size.
        """
        width, height = self.rounded(pipeline, asked.size)
        texts = _count_of(words)
        wanted = {
            **words, **self.guidance(asked), "width": width, "height": height, "num_inference_steps": asked.steps,
            "num_images_per_prompt": asked.pictures // texts, "output_type": "latent", **_SWITCHES,
        }  # fmt: skip
        if asked.guidance_rescale:
            wanted["guidance_rescale"] = asked.guidance_rescale
        known = inspect.signature(pipeline.__call__).parameters
        # Some write into the list of prompts that they are given.
        return {n: list(value) if isinstance(value, list) else value for n, value in wanted.items() if n in known}

    def rounded(self, pipeline: Any, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size, (width, height), with each side made up to a multiple."""
        multiple = self.multiple(pipeline)
        width, height = (-(-side // multiple) * multiple for side in size)
        return width, height

    def heard(self, output: Any) -> torch.Tensor:
        """Return what the denoiser said, (batch, …) as the scheduler sees it; some say one tensor a picture."""
        said = output[0]
        if not isinstance(said, torch.Tensor):
            said = torch.stack(list(said))
        return torch.as_tensor(said * self.sign if self.sign != 1 else said)

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

    @property
    def draws_in_tiles(self) -> bool:
        """Whether the denoiser can be shown a part of a picture by its latents alone."""
        return self.name in DRAWN_IN_TILES

    def can_tile(self, pipeline: Any, size: tuple[int, int]) -> bool:
        """Tell whether pictures of this size can be decoded in tiles, which takes less memory."""
        return can_tile(vae_of(pipeline), _scale_of(pipeline), size)

    def layout(self, pipeline: Any, size: tuple[int, int]) -> Layout:
        """Return where the latents of a picture are in what the VAE decodes; asked of the pipeline, once for each size.

        On the thread that draws, after `encode`.
        """
        if self.plain or vae_of(pipeline) is None:
            return plain_layout(vae_of(pipeline))
        drawn = self.rounded(pipeline, size)
        layout = known_layout(pipeline, drawn)
        if layout is None:
            layout = remember_layout(pipeline, drawn, self._ask(pipeline, drawn))
        return layout

    def latent_size(self, pipeline: Any, size: tuple[int, int]) -> tuple[int, int]:
        """Return how many latents wide and high a picture of this size is. On the thread that draws, after `encode`."""
        source = self.layout(pipeline, size).source
        if source is not None:
            return source.shape[-1], source.shape[-2]
        scale = _scale_of(pipeline) or 1
        width, height = self.rounded(pipeline, size)
        return width // scale, height // scale

    def for_vae(self, pipeline: Any, spatial: torch.Tensor) -> torch.Tensor:
        """Return what the VAE decodes, of latents that the layout of their size has made `spatial`. On any thread."""
        layout = plain_layout(vae_of(pipeline)) if self.plain else known_layout_of(pipeline, spatial)
        return layout.for_vae(spatial)

    def decode(self, pipeline: Any, latents: torch.Tensor, size: tuple[int, int], save_memory: bool) -> Image.Image:
        """Return the picture of one picture's latents, (1, …) as the scheduler sees them; to save memory, in tiles.

        A pass of no steps: the pipeline's own end unpacks, scales and decodes.

        Raises:
            Interrupted: the job was stopped between two blocks of the decoder.
            NotNumbers: the latents, or what the decoder makes of them, are no numbers.
        """
        vae = vae_of(pipeline)
        choose_tiling(vae, _scale_of(pipeline), size, save_memory)
        # The sampler works in float32, whatever the decoder does; pipelines take both for one.
        pixels = self._end(pipeline, latents if vae is None else latents.to(vae.dtype), size, "pt")
        if not torch.isfinite(pixels).all():
            raise NotNumbers
        values = (pixels[0].permute(1, 2, 0).float().cpu().numpy() * 255).round().astype(np.uint8)
        picture = Image.fromarray(values).convert("RGB")
        # Some draw in sizes of their own, which have nothing to do with what they were asked for.
        asked = self.rounded(pipeline, size)
        return picture if picture.size == asked else picture.resize(asked, Image.Resampling.LANCZOS)

    def noise(self, pipeline: Any, arguments: Mapping[str, Any], sampler: Sampler) -> torch.Tensor:
        """Return the noise with which the pipeline would begin, (batch, …) as the scheduler sees it, of unit variance.

        `arguments` are those of its call, with the pictures' generators, which draw it; `sampler` has its list then.
        """
        return noise_of(pipeline, arguments, sampler, self.channels(pipeline))

    def encode_picture(self, pipeline: Any, pixels: torch.Tensor, save_memory: bool = False) -> torch.Tensor:
        """Return the latents of pictures, (batch, …) as the scheduler sees them, float32; to save memory, in tiles.

        `pixels`: (batch, 3, height, width), -1..1, with sides that are multiples (`rounded`). Nothing is drawn for it.

        Raises:
            Interrupted: the job was stopped between two blocks of the encoder.
            NotNumbers: what the encoder makes of them are no numbers.
        """
        vae, size = vae_of(pipeline), (pixels.shape[-1], pixels.shape[-2])
        layout, device = self.layout(pipeline, size), pipeline._execution_device
        if vae is None:
            return layout.running(pixels.float().to(device))
        choose_tiling(vae, _scale_of(pipeline), size, save_memory)
        try:
            spatial = spatial_of(vae, layout, pixels.to(device, vae.dtype))
        finally:
            pipeline.maybe_free_model_hooks()
        if not torch.isfinite(spatial).all():
            raise NotNumbers
        return layout.running(spatial)

    def _end(self, pipeline: Any, latents: torch.Tensor, size: tuple[int, int], output_type: str) -> Any:
        """Return what the pipeline makes of finished latents: (1, colours, height, width), 0..1."""
        asked = Asked(size, steps=2)  # Some lists of one step are no numbers.
        arguments = self.arguments(pipeline, {"prompt": "", "negative_prompt": ""}, asked)
        with answering_with_anything(pipeline):
            return self._without_steps(pipeline, arguments | {"output_type": output_type}, latents)[0]

    def _without_steps(self, pipeline: Any, arguments: Mapping[str, Any], start: torch.Tensor | None = None) -> Any:
        """Call a pipeline without taking a step; return what its call returns."""
        shown = SchedulerProxy(Sampler(copy.deepcopy(pipeline.scheduler)), end=0)
        pictures = arguments.get("num_images_per_prompt", 1) * _count_of(arguments)
        generators = [torch.Generator() for _ in range(pictures)]
        return drive(pipeline, {**arguments, "generator": generators}, shown, start, self.channels(pipeline))

    def _ask(self, pipeline: Any, size: tuple[int, int]) -> Layout:
        """Return the layout of this size, by decoding numbers with a decoder that only keeps what it is given.

        With a copy of the pipeline, since previews may be decoded meanwhile on another thread.
        """
        asked = copy.copy(pipeline)
        decoder = KeepingDecoder(vae_of(pipeline))
        vars(asked)[vae_name(pipeline)] = decoder
        vars(asked)["maybe_free_model_hooks"] = lambda: None  # No network works, so none has to leave the device.

        def ask(start: torch.Tensor) -> torch.Tensor:
            with suppress(Decoded):
                self._end(asked, start, size, "pt")
            assert decoder.kept is not None
            return decoder.kept

        return Layout.asked(ask, self._shape_of_start(asked, size))

    def _shape_of_start(self, pipeline: Any, size: tuple[int, int]) -> torch.Size:
        """Return the shape of one picture's latents, (1, …) as the scheduler sees them."""
        arguments = self.arguments(pipeline, {"prompt": "", "negative_prompt": ""}, Asked(size))
        with answering_with_anything(pipeline), noticing_start(pipeline) as begun_with:
            ended_with = self._without_steps(pipeline, arguments)[0]
        # A pipeline without a method that prepares has done nothing to its noise.
        return torch.as_tensor(begun_with[0] if begun_with else ended_with).shape


def _count_of(words: Words) -> int:
    """Return how many prompts there are: one for all pictures, or one for each."""
    prompts = words.get("prompt", words.get("prompt_embeds"))
    return 1 if prompts is None or isinstance(prompts, str) else len(prompts)


def _scale_of(pipeline: Any) -> int:
    """Return how many pixels one of the VAE's latents has, in a row; 0: the pipeline does not say."""
    return int(getattr(pipeline, "vae_scale_factor", None) or 0)


def vae_name(pipeline: Any) -> str | None:
    """Return the name of the component that makes pictures of latents; None: there is none."""
    return next((name for name in ("vae", "movq", "vqgan") if getattr(pipeline, name, None) is not None), None)


def vae_of(pipeline: Any) -> Any:
    """Return what makes pictures of latents, None where the scheduler sees the pictures themselves."""
    name = vae_name(pipeline)
    return None if name is None else getattr(pipeline, name)
