"""What the engine writes: a job drawn to its end, and one that is paused and goes on."""

import contextlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image, ImageDraw
from tqdm import tqdm

from modules.engine import recovery
from modules.engine.assembly import quieten_libraries
from modules.errors import StorageError
from modules.jobs import submission
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.rows import TERMINAL, Actor, Death, Job
from modules.jobs.store.job_store import JobStore
from modules.paths import DataFolder
from tests.engine import tiny
from tests.engine.conftest import Engine
from tests.engine.moments import at_step
from tests.faults.disk import TIMES_FULL, Disk, Fault
from tests.faults.runner import hashes
from tests.jobs.inputs.test_decoding import file_of
from tests.program import wait_until

REQUEST = {"prompt": "a heart", "seed": 7, "steps": 2, "width": 64, "height": 64, "batch_size": 2, "n_iter": 1}
KILLED = Death(ordered=False, reason="killed by SIGKILL")
SETTLED = TERMINAL | {"paused"}


class Drawing:
    """A job of one batch of two pictures, drawn from one picture where a mask covers it, from the claim to the end."""

    kind = "img2img"
    request: ClassVar[dict[str, Any]] = REQUEST | {"denoising_strength": 0.9, "mask_blur": 2}
    _loaded: Engine | None = None

    def warm(self, folder: Path) -> None:
        """Load the model in the process that forks, and draw once, so that no child does what is slow the first time.

        It leaves no thread behind: a fork would miss it.
        """
        quieten_libraries()
        torch.set_num_threads(1)
        tqdm.monitor_interval = 0
        tiny.build(folder / "models" / "Stable-diffusion" / "tiny")
        self._loaded = Engine(folder / "warm", folder / "models")
        self._submit(self._loaded)
        self._loaded.run_next()
        self._loaded.close()
        wait_until(lambda: len(list(Path("/proc/self/task").iterdir())) == 1, 10, "no thread is left")

    def prepare(self, root: Path) -> None:
        engine = self._engine(root, "engine-0")
        self._submit(engine)
        engine.close()

    def _submit(self, engine: Engine) -> None:
        engine.submit(self.kind, **self.request, **self._pictures(engine.parts.inputs))

    def _pictures(self, inputs: Inputs) -> dict[str, Any]:
        mask = Image.new("L", (64, 64))
        ImageDraw.Draw(mask).rectangle((10, 10, 40, 40), fill=255)
        red = Image.new("RGB", (64, 64), "red")
        return {"init_images": [inputs.take_in(file_of(red)).name], "mask": inputs.take_in(file_of(mask)).name}

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        try:
            engine = self._engine(root, "engine-1")
        except StorageError:
            return  # an engine that cannot open its database ends, and the launcher starts it again
        run_until(engine, lambda: all(job.status in SETTLED for job in all_jobs(engine.store)), None)
        engine.close()

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        problems = []
        engine = self._engine(root, "engine-2")
        problems += engine.store.database.notices
        (job,) = all_jobs(engine.store)
        if fault == "full" and job.status == "failed":
            if "No space left" not in (job.error or ""):
                problems.append(f"the full disk is told as {job.error!r}")
            problems += problems_of_files(root, engine.store)
            engine.store.queue.retry(job.id)
        elif fault == "full" and job.status not in ("queued", "running", "paused", "done"):
            problems.append(f"the full disk made it {job.status}")
        interrupted = fault == "kill" and job.status not in TERMINAL
        if interrupted:
            engine.store.control.ask("interrupt", job.id)  # it does not go on: what is left is to be cleared away
        engine.store.control.resume(job.id)
        run_until(engine, lambda: all(job.status in TERMINAL for job in all_jobs(engine.store)), KILLED)
        engine.housekeeping.look()
        problems += problems_of_files(root, engine.store)
        engine.close()
        found = self.outcome(root)
        if interrupted:
            # It was stopped: of the pictures in peace those are there that were done, each under its number and told.
            # One may be whole on the disk whose row was not written any more.
            kept = {index: name for index, name in wanted["pictures"].items() if index in found["pictures"]}
            wanted |= {"status": "interrupted", "pictures": kept, "told": sorted(map(int, kept))}
            saved = set(kept.values())
            wanted["files"] = {
                name: digest
                for name, digest in wanted["files"].items()
                if f"outputs/{name}" in saved or name in found["files"]
            }
        return problems + [
            f"{key} is {found[key]} instead of {wanted[key]}" for key in wanted if found[key] != wanted[key]
        ]

    def outcome(self, root: Path) -> dict[str, Any]:
        store = JobStore(root / "jobs.sqlite", DataFolder(root))
        (job,) = all_jobs(store)
        told = [event.payload["index"] for event in store.events.after(0) if event.kind == "image"]
        rows = {str(image.index): image.name for image in store.jobs.images(job.id)}
        store.close()
        return {
            "status": job.status,
            "pictures": rows,
            "told": sorted(told),
            "files": hashes(root / "outputs", "*.png"),
        }

    def _engine(self, root: Path, name: str) -> Engine:
        """Return an engine on this data folder with the model that is loaded already, whose hooks now obey this one."""
        engine = Engine(root, root.parent / "models", name)
        if self._loaded is not None:
            vars(self._loaded.cancel).update(vars(engine.cancel))
            engine.parts.model_cache.__dict__.update(vars(self._loaded.parts.model_cache))
        return engine


HIRES = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Lanczos", "denoising_strength": 0.9}


class Pausing(Drawing):
    """A grid that is paused amid the second pass of its second cell and resumed: a snapshot comes and goes."""

    kind = "grid"
    request: ClassVar = REQUEST | HIRES | {
        "of": "txt2img", "script": "X/Y/Z plot", "script_args": {"x_type": "Hires steps", "x_values": "1,4"},
        "batch_size": 1,
    }  # fmt: skip

    def prepare(self, root: Path) -> None:
        """Leave the first cell drawn, and of the second one nothing."""
        super().prepare(root)
        engine = self._engine(root, "engine-0")
        (job,) = all_jobs(engine.store)
        at_step(engine, 1, lambda: self._pause(engine, job.id), image=1)
        self._until(engine, {"paused"})
        engine.close()
        shutil.rmtree(root / "snapshots")

    def _submit(self, engine: Engine) -> None:
        checked = submission.check_request(self.kind, self.request, engine.parts.catalogue, engine.options.values)
        submission.submit(engine.store, checked, submission.Wishes("tester"), Actor("tester", "127.0.0.1"))

    def act(self, root: Path, disk: Disk) -> None:
        engine = self._engine(root, "engine-1")
        (job,) = all_jobs(engine.store)

        def pause() -> None:
            disk.install()
            engine.store.database._idle.clear()  # connections of before do not know of the disk
            self._pause(engine, job.id)

        self._resume(engine, job.id)
        at_step(engine, 3, pause, image=1)  # the first pass has only two
        self._until(engine, {"paused"} | TERMINAL)
        engine.cancel.exit.clear()
        if self._resume(engine, job.id):
            self._until(engine, SETTLED)
        engine.close()

    def _until(self, engine: Engine, statuses: frozenset[str] | set[str]) -> None:
        run_until(engine, lambda: all(job.status in statuses for job in all_jobs(engine.store)), None)

    def _resume(self, engine: Engine, job_id: str) -> bool:
        """Click until the disk takes it."""
        for _ in range(TIMES_FULL):
            with contextlib.suppress(StorageError):
                return engine.store.control.resume(job_id).accepted
        return engine.store.control.resume(job_id).accepted

    def _pause(self, engine: Engine, job_id: str) -> None:
        try:
            engine.store.control.ask("pause", job_id)
        except StorageError:
            return  # the click was refused, and the page said so
        engine.state.apply_request("pause", job_id)


def all_jobs(store: JobStore) -> list[Job]:
    """Return every job."""
    return store.jobs.page(limit=1000)[0]


def run_until(engine: Engine, settled: Callable[[], bool], death: Death | None) -> None:
    """Run the engine's loop on this thread until `settled`, which is asked from another."""
    over = threading.Event()

    def look() -> None:
        while not settled() and not over.wait(0.02):  # more often would take a tenth of what drawing does
            pass
        engine.cancel.exit.set()
        engine.worker.wake()

    recovery.SECONDS_BETWEEN_TRIES = 0.01
    looking = threading.Thread(target=look)
    looking.start()
    engine.run(death)
    over.set()
    looking.join()


def problems_of_files(root: Path, store: JobStore) -> list[str]:
    """Name complete rows without a file, and what is left of writes when no job has anything to do any more."""
    rows = {image.name for job in all_jobs(store) for image in store.jobs.images(job.id)}
    files = {str(path.relative_to(root)) for path in (root / "outputs").rglob("*") if path.is_file()}
    problems = [f"{name} has a row and no file" for name in sorted(rows - files)]
    if all(job.status in TERMINAL for job in all_jobs(store)):
        left = [name for name in files if Path(name).name.startswith(".")]
        left += [path.name for path in (root / "snapshots").glob("*")]
        problems += [f"{name} is left over" for name in sorted(left)]
    return problems
