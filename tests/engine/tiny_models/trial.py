"""What works with a model: it is loaded, drawn with, previewed, stopped, paused and resumed as a job would do it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from modules.engine.families.base import Asked
from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.previews.methods import PreviewMethods
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.beginning import Beginning
from modules.engine.work.decoding import decode
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch, Ready
from modules.engine.work.starts import Starts
from modules.errors import Interrupted
from modules.jobs.kinds.starts import Input, Mask, Start
from modules.shared_state import State
from tests.jobs.made_jobs import resolved_job

SIZE = 64, 64
_PICTURE, _MASK = (Input(name=name, width=SIZE[0], height=SIZE[1]) for name in ("picture", "mask"))
_INPUTS = {"picture": Image.linear_gradient("L").resize(SIZE).convert("RGB"), "mask": Image.new("L", SIZE)}
_INPUTS["mask"].paste(255, (0, 0, 32, 64))
WANTED = {
    "prompt": "a cat", "negative_prompt": "a dog", "seed": 7, "steps": 2, "cfg_scale": 3.0, "width": SIZE[0],
    "height": SIZE[1], "sampler_name": "Euler",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What works. `both`: previews know what either prompt alone would make of the picture.

    `img2img` begins with a picture; `inpaint` leaves what is known of it as it was, and draws the rest.
    """

    family: str
    sampler: str
    draws: bool
    words_kept: bool
    previews: bool
    both: bool
    stops: bool
    resumes: bool
    img2img: bool
    inpaint: bool


class Trial:
    """A model that is loaded from the folder that it was saved to."""

    def __init__(self, pipeline: Any, folder: Path, dtype: str = "float32") -> None:
        pipeline.save_pretrained(folder)
        self._state = State()
        self._state.begin("trial")
        cache = ModelCache(Device("cpu", "CPU"), Cancel(self._state))
        self.model: LoadedModel = cache.get(ModelKey(folder, folder.name, dtype), lambda fraction: None)
        self.resolved = resolved_job(**WANTED)
        # What the picture is believed to become after each step of the latest drawing, as it lies in it.
        self.shown: list[torch.Tensor] = []
        self._both = False
        self._kept: SamplingState | None = None
        with torch.inference_mode():
            one = self.resolved.passes[0]
            self.words = PromptEncoder().encode(self.model, "a cat", "a dog", Asked.by(one, 1))

    def find(self) -> Found:
        """Do all that a job does."""
        with torch.inference_mode():
            encoded = self._count_encoders()
            whole = self.draw()
            previews = self._previews()
            picture = decode(self.model, whole, SIZE)
            stops = self._is_stopped()
            again = torch.equal(self.draw(), whole)
            resumed = self._resumed()
            img2img, inpaint = self._begins_with_picture(whole), self._keeps_what_is_known()
        return Found(
            family=self.model.family.name,
            sampler=type(self.model.family.sampler(self.model.pipeline, "Euler", "Automatic", 2).scheduler).__name__,
            draws=picture.size == SIZE and bool(torch.isfinite(whole).all()) and again,
            words_kept=not encoded,
            previews=previews,
            both=self._both,
            stops=stops,
            resumes=torch.equal(resumed, whole),
            img2img=img2img,
            inpaint=inpaint,
        )

    def draw(self, stop: bool = False, resume: SamplingState | None = None) -> torch.Tensor:
        """Return the latents; told to `stop` after the first step, it is stopped amid the second."""
        batch = Batch(self.model, self.words, self.resolved, [0], resume)
        self.shown.clear()

        def on_step(done: int, steps: int, step: Step) -> None:
            self.shown.append(batch.spatial(step.denoised()))
            alone = batch.shown("Prompt"), batch.shown("Negative prompt")
            self._both = alone[0] is not step and alone[1] is not step
            if stop and done < steps:
                self._kept = batch.state()
                self._state.interrupt()

        return batch.sample(on_step)

    def _begin(self, mask: Mask | None = None) -> tuple[Beginning, torch.Tensor]:
        """Return what a pass of one step begins with, and the latents that it makes of that."""
        start = Start(pictures=(_PICTURE,), mask=mask)
        one = self.resolved.passes[0].model_copy(update={"begin": 1, "start": start})
        job = self.resolved.model_copy(update={"passes": (one,)})
        begun: list[Beginning] = []

        def switch(number: int, _left: torch.Tensor | None, _resumed: bool) -> Ready:
            made = Starts(job, lambda told: _INPUTS[told.name]).beginning(number, [0], self.model, self.words)
            assert made is not None
            begun.append(made)
            return Ready(self.model, self.words, made)

        latents = Batch(None, {}, job, [0], switch=switch).sample(lambda done, steps, step: None)
        return begun[0], latents

    def _begins_with_picture(self, drawn: torch.Tensor) -> bool:
        beginning, latents = self._begin()
        decoded = decode(self.model, beginning.clean, SIZE)
        new = not torch.equal(latents, drawn) and not torch.equal(latents, beginning.clean)
        return bool(torch.isfinite(latents).all()) and new and decoded.size == SIZE

    def _keeps_what_is_known(self) -> bool:
        beginning, latents = self._begin(Mask(picture=_MASK, blur_x=0, blur_y=0))
        assert beginning.blend is not None
        known = (beginning.blend.mask == 0).expand_as(latents)
        same = latents == beginning.clean
        return bool(known.any()) and bool(same[known].all()) and not bool(same[~known].any())

    def _is_stopped(self) -> bool:
        """Stop amid a step; tell whether no further step was done."""
        try:
            self.draw(stop=True)
        except Interrupted:
            return len(self.shown) == 1
        finally:
            self._state.begin("trial")
        return False

    def _resumed(self) -> torch.Tensor:
        """Go on from where the stop was, by what a file keeps of that."""
        assert self._kept is not None
        tensors, rest = pack(self._kept)
        return self.draw(resume=unpack(tensors, json.loads(json.dumps(rest)), "cpu"))

    def _previews(self) -> bool:
        methods = PreviewMethods(self.model)
        available = methods.available("Full", *SIZE)
        made = [methods.picture(method, shown, SIZE) for shown in self.shown for method in available]
        return len(self.shown) >= 2 and all(picture.size == SIZE for picture in made)

    def _count_encoders(self) -> list[str]:
        """Return a list that tells which text encoders work from now on."""
        told: list[str] = []
        for name, part in self.model.pipeline.components.items():
            if isinstance(part, nn.Module) and name.startswith("text_encoder"):
                part.register_forward_pre_hook(lambda _module, _inputs, name=name: told.append(name))
        return told
