"""One batch: noise to finished latents, through the pipeline of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from modules.engine.denoised import Step
from modules.engine.encode import PromptEmbeddings
from modules.engine.models import LoadedModel
from modules.engine.schedulers import build_scheduler
from modules.jobs.resolve import ResolvedTxt2Img

OnStep = Callable[[int, int, Step], None]


class Batch:
    """The pictures that one call of the pipeline draws. `latest` and `steps_done` say how far it came when stopped."""

    def __init__(
        self, model: LoadedModel, prompts: PromptEmbeddings, resolved: ResolvedTxt2Img, indices: Sequence[int]
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._resolved = resolved
        self._indices = tuple(indices)
        self._scheduler_steps = 0
        self._done = 0
        self.latest: Step | None = None

    @property
    def steps_done(self) -> int:
        """How many of the steps that were asked for are done. Some samplers call the denoiser twice a step."""
        if self._scheduler_steps == 0:
            return 0
        return self._done * self._resolved.steps // self._scheduler_steps

    def sample(self, on_step: OnStep) -> torch.Tensor:
        """Return the latents: (batch, channels, height / 8, width / 8), float32.

        `on_step(done, steps, step)` is called after each step, on this thread, and must return at once.

        Raises:
            Interrupted: the job was stopped before one of the denoiser's blocks.
        """
        resolved, pipeline = self._resolved, self._model.pipeline
        scheduler = build_scheduler(
            resolved.sampler_name, resolved.scheduler, self._model.scheduler_config, resolved.steps
        )

        def step_ended(pipe: Any, index: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            self._done, self._scheduler_steps, self.latest = index + 1, pipe.num_timesteps, scheduler.latest
            on_step(self._done, self._scheduler_steps, scheduler.latest)
            return tensors

        generators = [torch.Generator().manual_seed(resolved.seed_of(index)) for index in self._indices]
        own = pipeline.scheduler
        pipeline.scheduler = scheduler
        try:
            latents: torch.Tensor = pipeline(
                prompt_embeds=self._prompts.positive,
                negative_prompt_embeds=self._prompts.negative,
                num_images_per_prompt=len(generators),
                num_inference_steps=resolved.steps,
                guidance_scale=resolved.cfg_scale,
                width=resolved.width,
                height=resolved.height,
                generator=generators,
                latents=self._noise(generators),
                output_type="latent",
                callback_on_step_end=step_ended,
            ).images
        finally:
            # The pipeline's last line, which an exception passes by.
            pipeline.maybe_free_model_hooks()
            pipeline.scheduler = own
        return latents

    def _noise(self, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """Draw each picture's noise from its own generator on the CPU, in float32: the same on every device."""
        scale = self._model.pipeline.vae_scale_factor
        channels = self._model.denoiser.config.in_channels
        shape = (1, channels, self._resolved.height // scale, self._resolved.width // scale)
        return torch.cat([torch.randn(shape, generator=generator) for generator in generators])
