"""An engine in this process, for tests and for benchmarks, which run where there is no pytest."""

import dataclasses
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from modules.engine.assembly import build_engine
from modules.engine.engine_parts import EngineParts
from modules.engine.housekeeping import Housekeeping
from modules.engine.identity import EngineIdentity
from modules.engine.models.devices import Device
from modules.engine.recovery import settle
from modules.engine.worker import Worker
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Death, Job
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import DataFolder
from modules.shared_state import State


class Engine:
    """An engine in this process: real store, state, settings, model; no launcher. `published` is what the link gets."""

    def __init__(self, root: Path, models: Path, name: str = "engine-1") -> None:
        self.folder = DataFolder(root)
        self.store = JobStore(self.folder.database, self.folder)
        self.options = Options(self.folder.settings)
        self.options.update({"sd_model_checkpoint": "tiny", "torch_threads": 1})
        self.state = State()
        self.published: list[tuple[str, Any]] = []
        self.identity = EngineIdentity("1", name)
        leaving = threading.Event()
        catalogue = CheckpointCatalogue([models], self.folder.hashes)
        built = build_engine(
            self.identity, self.store, self.folder, catalogue, self.options, self.state, leaving, self._publish
        )
        self.parts: EngineParts = dataclasses.replace(built, device=Device("cpu", "CPU"))
        self.cancel = self.parts.cancel
        self.worker = Worker(self.parts, self._publish)
        self.housekeeping = Housekeeping(self.parts, self.worker)
        self.store.database.announce = lambda number: self._announce(number)
        self.parts.previews.start()
        self._thread: threading.Thread | None = None

    def _publish(self, topic: str, value: Any) -> None:
        self.published.append((topic, value))

    def _announce(self, number: int) -> None:
        self.published.append(("events", number))
        self.worker.wake()

    def submit(self, kind: str = "txt2img", /, **request: Any) -> str:
        return self.store.queue.submit(kind, {"prompt": "a heart", "seed": 7} | request, "tester").id

    def run_next(self) -> Job:
        """Claim the next job, draw it on this thread, and return it as it is then."""
        claimed = self.store.claims.claim(self.identity.claims_as)
        assert claimed is not None
        with torch.inference_mode():
            self.worker.run_job(claimed)
        done = self.store.jobs.get(claimed.id)
        assert done is not None
        return done

    def draw(self, kind: str = "txt2img", /, **request: Any) -> Job:
        self.submit(kind, **request)
        return self.run_next()

    def start(self, death: Death | None = None) -> None:
        """Run the loop on a thread of its own; `death` is that of the engine before."""
        self._thread = threading.Thread(target=self.run, args=(death,))
        self._thread.start()

    def run(self, death: Death | None = None) -> None:
        """Settle what the engine before left, then run the loop on this thread until `cancel.exit` is set."""
        self.worker.run(settle(self.store, death, (), self.cancel.exit), death)

    def wait(self, what: Callable[[], Any], seconds: float = 30) -> Any:
        """Return what `what()` gives as soon as it is true. It is asked less and less often: others want to draw."""
        ends_at, pause = time.monotonic() + seconds, 0.002
        while time.monotonic() < ends_at:
            if found := what():
                return found
            time.sleep(pause)
            pause = min(1.1 * pause, 0.1)
        raise AssertionError("not in time")

    def files(self, job: str | Job) -> list[bytes]:
        """Return the bytes of a job's pictures in order."""
        job_id = job if isinstance(job, str) else job.id
        return [(self.folder.root / image.name).read_bytes() for image in self.store.jobs.images(job_id)]

    def values(self, topic: str) -> list[Any]:
        return [value for name, value in self.published if name == topic]

    def close(self) -> None:
        self.cancel.exit.set()
        self.worker.wake()
        if self._thread is not None:
            self._thread.join(10)
            assert not self._thread.is_alive()
        self.parts.previews.close()
        self.store.close()
