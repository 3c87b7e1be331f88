"""All that drawing needs, made once for the life of the engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from modules.engine.captioning.captioner import KeptCaptioner
from modules.engine.identity import EngineIdentity
from modules.engine.models.cpu_formats import CpuFormats
from modules.engine.models.devices import Device
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.vae_swap import VaeSwap
from modules.engine.networks.lora_weights import LoraWeights
from modules.engine.previews.thread import Previews
from modules.engine.progress.timings import Timings
from modules.engine.status import EngineStatus
from modules.engine.stopping.cancel import Cancel
from modules.engine.upscaling.faces import FaceMenders
from modules.engine.upscaling.upscalers import Upscalers
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.snapshots import Snapshots
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import DataFolder
from modules.shared_state import State

_HIGHEST_DRAWN_SEED = 2**32 - 1


def draw_seed() -> int:
    """Return a random seed, as high as A1111 draws them."""
    return secrets.randbelow(_HIGHEST_DRAWN_SEED + 1)


@dataclass(frozen=True)
class EngineParts:
    """The parts of an engine."""

    identity: EngineIdentity
    store: JobStore
    folder: DataFolder
    catalogue: CheckpointCatalogue
    inputs: Inputs
    options: Options
    state: State
    device: Device
    cancel: Cancel
    previews: Previews
    status: EngineStatus
    model_cache: ModelCache
    vae_swap: VaeSwap
    lora_weights: LoraWeights
    upscalers: Upscalers
    face_menders: FaceMenders
    captioner: KeptCaptioner
    snapshots: Snapshots
    timings: Timings
    cpu_formats: CpuFormats
    encoder: PromptEncoder = field(default_factory=PromptEncoder)
    draw_seed: Callable[[], int] = draw_seed

    def needs_snapshot(self, job_id: str) -> bool:
        """Tell whether a job may still go on from its snapshot."""
        job = self.store.jobs.get(job_id)
        return job is not None and not job.finished
