"""The engine as a process of its own: killed in the middle of a job, the same bytes in the next, and an ordered end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from modules.engine.__main__ import last_death
from modules.jobs.rows import Death
from modules.paths import ROOT
from tests.engine.conftest import Engine


def start_engine(engine: Engine, models_folder: Path, instance: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start an engine without a launcher on the data of `engine`; what it says goes into engine.log there."""
    environment = {
        **os.environ, "STEADY_DATA_DIR": str(engine.folder.root), "STEADY_MODELS_DIRS": str(models_folder),
        "STEADY_INSTANCE": instance, **environment,
    }  # fmt: skip
    environment.pop("STEADY_LINK_FD", None)
    with (engine.folder.root / "engine.log").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "modules.engine"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def test_what_a_dead_engine_left_is_settled_before_torch_is_imported(
    engine: Engine, models_folder: Path, tmp_path: Path
) -> None:
    """Here the import of torch never ends: people who stopped the job or paused it do not wait for it."""
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "torch.py").write_text("import time\ntime.sleep(3600)\n")
    left = [engine.submit() for _ in range(3)]
    for _ in left:
        engine.store.claims.claim("dead")
    engine.store.control.ask("interrupt", left[0])
    engine.store.control.ask("pause", left[1])
    process = start_engine(
        engine, models_folder, "next", PYTHONPATH=str(tmp_path / "slow"),
        STEADY_LAST_DEATH='{"ordered": false, "reason": "killed by SIGKILL"}',
    )  # fmt: skip
    try:
        engine.wait(lambda: engine.store.jobs.get(left[2]).status != "running", 60)  # type: ignore[union-attr]
        jobs = [engine.store.jobs.get(id) for id in left]
        assert [job.status for job in jobs if job is not None] == ["interrupted", "paused", "queued"]
    finally:
        process.kill()
        process.wait()


def written_at(file: Path) -> float:
    """Return when a file was written, 0 where there is none."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def kill_after_a_snapshot(engine: Engine, process: subprocess.Popen[bytes], job: str) -> None:
    """Kill a process that draws its second batch as soon as it has written a snapshot, one of which is due each second.

    On a slow machine there may be one of the first batch as well.
    """
    images, snapshot = engine.store.jobs.images, engine.folder.snapshots / f"{job}.safetensors"
    engine.wait(lambda: len(images(job)) >= 2, 120)
    process.send_signal(signal.SIGSTOP)  # A second goes by without a step, on any machine.
    stopped_at = time.time()
    engine.wait(lambda: time.time() > stopped_at + 1)
    process.send_signal(signal.SIGCONT)
    engine.wait(lambda: written_at(snapshot) > stopped_at + 0.5, 60)
    process.kill()
    process.wait()


def test_a_job_whose_engine_was_killed_goes_on_in_another_process_which_ends_in_order_amid_the_next(
    engine: Engine, models_folder: Path
) -> None:
    """To the same bytes. SIGTERM: exit code 0; the job stays running, so that the next engine takes it up."""
    request = {"steps": 80, "sampler_name": "DPM++ 2M SDE", "batch_size": 2, "n_iter": 2}
    undisturbed = engine.files(engine.draw(**request))
    engine.options.update({"snapshot_every_seconds": 1})
    identity = engine.submit(**request)
    first = start_engine(engine, models_folder, "first")
    try:
        kill_after_a_snapshot(engine, first, identity)
    finally:
        first.kill()
        first.wait()
    left = engine.store.jobs.get(identity)
    assert left is not None and left.status == "running", "the engine was quicker than its first snapshot"
    second = start_engine(
        engine,
        models_folder,
        "second",
        STEADY_LAST_DEATH='{"ordered": false, "reason": "killed by SIGKILL"}',
    )
    try:
        done = engine.wait(lambda: (job := engine.store.jobs.get(identity)) and job.finished and job, 120)
        assert (done.status, done.deaths) == ("done", 1), (engine.folder.root / "engine.log").read_text()
        notes = [note.text for note in done.notes]
        assert any(text.startswith("Continued at step ") and text.endswith(" of images 3–4.") for text in notes), notes
        assert engine.files(identity) == undisturbed
        engine.wait(lambda: not list(engine.folder.snapshots.glob("*.safetensors")))
        second.send_signal(signal.SIGINT)  # the launcher decides, not the terminal
        long = engine.submit(n_iter=1000, steps=150)
        engine.wait(lambda: len(engine.files(long)) >= 1, 60)
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    finally:
        second.kill()
        second.wait()
    left = engine.store.jobs.get(long)
    assert left is not None
    assert (left.status, left.engine) == ("running", "1/second")
    assert "Traceback" not in (engine.folder.root / "engine.log").read_text()


ASKED_AMID_A_LOCK = """
import os, signal
from modules.engine.__main__ import Leaving
leaving = Leaving()
leaving.obey_signal(signal.SIGTERM)
with leaving.given._cond:
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):
        pass
    assert leaving.asked
print(leaving.given.wait(20), flush=True)
os._exit(0)
"""


def test_an_order_by_signal_comes_through_whatever_the_main_thread_holds() -> None:
    """The handler took the lock that the main thread held, and the engine hung before its own killer ran."""
    done = subprocess.run([sys.executable, "-c", ASKED_AMID_A_LOCK], cwd=ROOT, timeout=60, capture_output=True)
    assert (done.returncode, done.stdout.split()) == (0, [b"True"]), done.stderr


def test_how_the_last_engine_ended_is_read_from_the_environment() -> None:
    assert last_death({}) is None
    told = '{"ordered": false, "reason": "killed by SIGKILL", "log": ["a", "b"]}'
    assert last_death({"STEADY_LAST_DEATH": told}) == Death(False, "killed by SIGKILL", ("a", "b"))
