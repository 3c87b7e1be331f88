"""Builds the engine from its parts and runs it. Imports torch; `__main__` does not, until the launcher knows of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import diffusers
import transformers

from modules import shared
from modules.cmd_args import from_environment
from modules.engine.captioning.captioner import KeptCaptioner
from modules.engine.engine_parts import EngineParts
from modules.engine.housekeeping import Housekeeping
from modules.engine.identity import EngineIdentity
from modules.engine.models.cpu_formats import CpuFormats
from modules.engine.models.devices import best_device
from modules.engine.models.kept_models import KeptLimit
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.vae_swap import VaeSwap
from modules.engine.networks.lora_weights import LoraWeights
from modules.engine.previews.thread import Previews
from modules.engine.progress.timings import Timings
from modules.engine.status import EngineStatus
from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.heartbeat import Heartbeat
from modules.engine.upscaling.faces import FaceMenders
from modules.engine.upscaling.upscalers import Upscalers
from modules.engine.work.snapshots import Snapshots
from modules.engine.worker import Worker
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.places import places_from_environment
from modules.jobs.rows import Death, Job
from modules.jobs.store.job_store import JobStore
from modules.link import Link
from modules.link.topics import EVENTS, UNLOAD
from modules.options import Options
from modules.paths import DataFolder, data_folder, model_folders
from modules.prompts.library import library_from_environment
from modules.shared_state import State

logger = logging.getLogger(__name__)

Publish = Callable[[str, Any], None]


def build_engine(
    identity: EngineIdentity,
    store: JobStore,
    folder: DataFolder,
    catalogue: CheckpointCatalogue,
    options: Options,
    state: State,
    leaving: threading.Event,
    publish: Publish,
) -> EngineParts:
    """Return the parts of an engine on the best device of this machine. It is to end once `leaving` is set."""
    device = best_device()
    heartbeat = Heartbeat(publish, lambda: options.values.recycle_stalled_after_seconds)
    cancel = Cancel(state, leaving, heartbeat)
    model_cache = ModelCache(
        device,
        cancel,
        lambda: KeptLimit(options.values.sd_checkpoints_limit, options.values.kept_models_percent),
        vram=from_environment().vram,
    )
    return EngineParts(
        identity=identity,
        store=store,
        folder=folder,
        catalogue=catalogue,
        inputs=Inputs(folder.inputs),
        options=options,
        state=state,
        device=device,
        cancel=cancel,
        previews=Previews(state, lambda: options.values, model_folders()),
        status=EngineStatus(device, publish),
        model_cache=model_cache,
        vae_swap=VaeSwap(model_cache, cancel),
        lora_weights=LoraWeights(device, cancel, model_cache),
        upscalers=Upscalers(device, cancel, catalogue.upscalers, model_cache),
        face_menders=FaceMenders(device, cancel, catalogue.files, model_cache),
        captioner=KeptCaptioner(device, cancel, model_cache),
        snapshots=Snapshots(
            folder.snapshots,
            lambda: options.values.snapshot_every_seconds,
            lambda job_id, reason: _note_failed_snapshot(store, job_id, reason),
            lambda: state.preview,
        ),
        timings=Timings(folder.timings_of(identity.id), inherited=folder.timings),
        cpu_formats=CpuFormats(folder.cpu_formats),
    )


def _note_failed_snapshot(store: JobStore, job_id: str, reason: str) -> None:
    store.claims.note(
        job_id, "snapshot", f"No snapshot can be kept, so a crash would cost the image that is drawn: {reason}"
    )


def serve(
    link: Link | None,
    store: JobStore,
    leaving: threading.Event,
    wake: list[Callable[[], None]],
    identity: EngineIdentity,
    left: Sequence[Job],
    death: Death | None,
) -> None:
    """Run jobs until `leaving` is set. `wake` takes what is to be called then.

    `left` are the jobs that the engine before left, settled, and `death` how it ended. The jobs run on a thread of
    their own, so that signals are handled while torch computes.
    """
    quieten_libraries()
    folder = data_folder()
    publish: Publish = link.publish_own if link is not None else _publish_nothing
    catalogue = CheckpointCatalogue(
        places_from_environment(), folder.hashes, folder.model_facts, library=library_from_environment()
    )
    parts = build_engine(identity, store, folder, catalogue, shared.opts, shared.state, leaving, publish)
    worker = Worker(parts, publish)
    wake.append(worker.wake)
    if link is not None:
        link.on_topic(EVENTS, lambda _number: worker.wake())
        link.on_topic(UNLOAD, lambda asked_at: worker.unload(asked_at is not None))
    parts.previews.start()
    Housekeeping(parts, worker).start()
    thread = threading.Thread(target=worker.run, args=(left, death), name="worker", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(timeout=0.5)  # With a timeout, so that signal handlers get their turn.
    parts.status.change("stopping")
    parts.previews.close()
    parts.snapshots.close()
    store.close()


def _publish_nothing(_topic: str, _value: Any) -> None:
    """Stand in for the link of an engine that was started by hand."""


def quieten_libraries() -> None:
    """Keep the libraries' bars and advice out of the log; their errors stay."""
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.disable_progress_bar()
