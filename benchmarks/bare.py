"""The bare diffusers pipeline, as a script of twenty lines would use it: what our numbers are compared with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, EulerDiscreteScheduler

from modules.engine.__main__ import NICENESS
from modules.engine.assembly import quieten_libraries


def stand_back_as_the_engine() -> None:
    """Give this process the priority of an engine that was started from it before.

    The engine lets others go first. On a machine that others use too, a bare pipeline that does not is measured
    against their share of the processor, and not against the engine.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)


class BarePipeline:
    """A model folder loaded with diffusers alone, with the Euler scheduler of its own configuration."""

    def __init__(self, folder: Path, dtype: str = "float32") -> None:
        quieten_libraries()
        pipeline: Any = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
        pipeline.to(getattr(torch, dtype))
        pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline

    def draw(self, request: dict[str, Any], folder: Path, threads: int) -> None:
        """Draw the images of a txt2img request one after the other and save each as PNG."""
        torch.set_num_threads(threads)
        for index in range(request["n_iter"]):
            picture = self._pipeline(
                request["prompt"],
                num_inference_steps=request["steps"],
                guidance_scale=request["cfg_scale"],
                width=request["width"],
                height=request["height"],
                generator=torch.Generator().manual_seed(request["seed"] + index),
            ).images[0]
            picture.save(folder / f"{index}.png")
