"""Stable Diffusion 1.x and 2.x, also those for inpainting and instructions."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from modules.engine.families.base import Asked, Family, NotNumbers, Remember, Words
from modules.engine.families.clip_chunks import Encoder, Read, attention_mask, chunks_in, read_text, said_by
from modules.engine.families.latent_layout import plain_layout
from modules.engine.families.reading import Texts, as_many
from modules.engine.families.telling import Told, beside, instructed, mask_in_latents
from modules.engine.families.vae_tiles import choose_tiling
from modules.engine.samplers.proxy import Sampler
from modules.jobs.models.weight_files import NOT_LOADED

_CLASSES = (
    "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
    "StableDiffusionInstructPix2PixPipeline", "LatentConsistencyModelPipeline",
    "LatentConsistencyModelImg2ImgPipeline", "StableDiffusionPAGPipeline", "StableDiffusionControlNetPipeline",
    "StableDiffusionControlNetPAGPipeline",
)  # fmt: skip


class StableDiffusion(Family):
    """Words in chunks of any number, all samplers of the table, and a decoder that works in tiles where it must."""

    pipeline = StableDiffusionPipeline
    classes: tuple[str, ...] = _CLASSES
    denoiser = "unet"
    left_out = NOT_LOADED
    plain = True
    takes_weights = True

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Encode prompts in chunks of 75 tokens with weights, as A1111 does, so that no word of a long one is lost.

        All are padded to the same number of chunks: (prompts, 77 * chunks, width). Without guidance the negative is
        None. Clip skip is for the CLIP of Stable Diffusion 1: with A1111 that of 2 is read as it was trained, always.

        Raises:
            Interrupted: the job was stopped between two layers.
        """
        encoder, skip = Encoder.of(pipeline), asked.clip_skip if self.name == "sd1" else 1

        def read(text: str) -> Read:
            ask = functools.partial(_ask, encoder.tokenizer, skip)
            found: Read = remember((text, skip), lambda: read_text(encoder, text, asked.reading, ask))
            return found

        if asked.guidance_scale <= 1:
            said = said_by(prompts, read, asked.reading.emphasis, chunks_in(prompts, read))
            return {"prompt_embeds": said, "negative_prompt_embeds": None}
        prompts, negative_prompts = as_many(prompts, negative_prompts)
        count = chunks_in(prompts + negative_prompts, read)
        return {
            "prompt_embeds": said_by(prompts, read, asked.reading.emphasis, count),
            "negative_prompt_embeds": said_by(negative_prompts, read, asked.reading.emphasis, count),
        }

    def multiple(self, pipeline: Any) -> int:
        """Return the side of a latent; the pipeline asks for a multiple of 8 too."""
        return math.lcm(8, pipeline.vae_scale_factor)

    def channels(self, pipeline: Any) -> int:
        """Return what the denoiser gives: it takes more where it is also told a mask and a picture."""
        channels: int = pipeline.unet.config.out_channels
        return channels

    def noise(self, pipeline: Any, arguments: Mapping[str, Any], sampler: Sampler) -> torch.Tensor:
        """Return it without a run of the pipeline, which does no more than this."""
        scale, generators, device = pipeline.vae_scale_factor, arguments["generator"], pipeline._execution_device
        sampler.set_timesteps(arguments["num_inference_steps"], device=device)
        height, width = arguments["height"] // scale, arguments["width"] // scale
        shape = len(generators), self.channels(pipeline), height, width
        return torch.as_tensor(randn_tensor(shape, generator=generators, device=device, dtype=torch.float32))

    def takes_mask(self, pipeline: Any) -> bool:
        """Tell so of the models for inpainting, whose UNet has room for a mask and a picture more."""
        return bool(pipeline.unet.config.in_channels == 2 * self.channels(pipeline) + 1)

    def needs_picture(self, pipeline: Any) -> bool:
        """Tell so of the models for instructions, whose UNet has room for a picture more."""
        return bool(pipeline.unet.config.in_channels == 2 * self.channels(pipeline))

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None] | None:
        """Return what puts a picture, and a mask where the model takes one, beside what the UNet is given."""
        if told.mask is not None and self.takes_mask(pipeline):
            return beside(pipeline.unet, torch.cat([mask_in_latents(told.mask, told.latents), told.latents], 1), dim=1)
        if self.needs_picture(pipeline):
            # As the VAE gave them: those models were trained so.
            picture = plain_layout(pipeline.vae).for_vae(told.latents)
            return instructed(pipeline.unet, picture, told.image_guidance_scale)
        return None

    def decode(self, pipeline: Any, latents: torch.Tensor, size: tuple[int, int], save_memory: bool) -> Image.Image:
        """Return the picture of `latents`: (1, channels, height / 8, width / 8); to save memory, in small tiles."""
        vae = pipeline.vae
        scale = pipeline.vae_scale_factor
        height, width = latents.shape[-2:]
        choose_tiling(vae, scale, (width * scale, height * scale), save_memory)
        scaled = plain_layout(vae).for_vae(latents)
        pixels = vae.decode(scaled.to(vae.dtype), return_dict=False)[0]
        if not torch.isfinite(pixels).all():
            raise NotNumbers
        picture: Image.Image = pipeline.image_processor.postprocess(pixels, output_type="pil")[0]
        return picture


def _ask(tokenizer: Any, clip_skip: int, text_encoder: Any, ids: torch.Tensor) -> tuple[torch.Tensor, None]:
    """Return (chunks, 77, width), with the last layer left out `clip_skip` - 1 times, as far as there are layers."""
    said = text_encoder(
        ids, attention_mask=attention_mask(tokenizer, text_encoder, ids), output_hidden_states=clip_skip > 1
    )
    if clip_skip <= 1:
        return said[0], None
    layers = said.hidden_states  # The first is what goes into the first layer.
    inner = getattr(text_encoder, "text_model", text_encoder)  # Flat since transformers 5.
    return inner.final_layer_norm(layers[-min(clip_skip, len(layers) - 1)]), None
