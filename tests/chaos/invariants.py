"""What must be true when a chaotic run has come to rest."""

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from tests.chaos.driver import Chaos
from tests.chaos.ledger import Entry
from tests.chaos.plan import OWNERS
from tests.program import TERMINAL, wait_until

# What of a request decides nothing of its pictures, and is another for those who wait.
OF_THE_CLIENT = ("force_task_id", "save_images")
SECONDS_TO_DRAIN = 400


def drain(chaos: Chaos) -> None:
    """Let everything go on that waits or pauses, and return when every job has ended and every client is answered."""
    chaos.thaw()
    chaos.ask("POST", "/sdapi/v1/restart-cancel")
    chaos.ask("POST", "/sdapi/v1/queue/resume")

    def all_ended() -> bool:
        chaos.end_chains()
        for (id,) in chaos.query("SELECT id FROM jobs WHERE status = 'paused'"):
            chaos.ask("POST", f"/sdapi/v1/jobs/{id}/resume")
        left = chaos.query("SELECT id FROM jobs WHERE status IN ('queued', 'running', 'paused')")
        time.sleep(0.3 if left else 0)
        return not left

    wait_until(all_ended, SECONDS_TO_DRAIN, f"every job ends; log:\n{chaos.program.log_tail()}")
    for client in chaos.waiting_clients:
        client.join(60)
        if client.is_alive():
            chaos.problems.append("a client waits for ever in txt2img")


def problems_of(chaos: Chaos) -> list[str]:
    """Check everything and return what is wrong. The program still runs, and draws each picture once more in peace."""
    jobs = all_jobs(chaos)
    last = last_event(chaos)
    for reader in chaos.readers:
        with contextlib.suppress(AssertionError):
            wait_until(lambda: reader.numbers and reader.numbers[-1] >= last, 30, "the reader has seen all")  # noqa: B023
        reader.stop()
    note_interrupts_of_running(chaos)
    found = list(chaos.problems)
    gone = [chaos.ledger.entries[id] for id in chaos.told_gone]
    found += [
        f"a client was told that {entry.id} is gone, and nobody removed it"
        for entry in gone
        if not entry.removed and "remove" not in entry.unsure
    ]
    found += problems_of_endings(chaos, jobs)
    found += problems_of_files(chaos)
    found += [problem for reader in chaos.readers for problem in reader.problems(last)]
    numbers = [row[0] for row in chaos.query("SELECT number FROM events ORDER BY number")]
    if numbers != list(range(numbers[0], last + 1)):
        found.append("the events in the database have gaps")
    found += problems_of_pictures(chaos, jobs)
    return found


def all_jobs(chaos: Chaos) -> dict[str, dict[str, Any]]:
    """Return every job with its outputs, by id."""
    answer = chaos.ask("GET", "/sdapi/v1/jobs?limit=1000")
    assert answer["total"] <= 1000
    return {job["id"]: job for job in answer["jobs"]}


def last_event(chaos: Chaos) -> int:
    """Return the number of the last event."""
    return int(chaos.query("SELECT max(number) FROM events")[0][0])


def note_interrupts_of_running(chaos: Chaos) -> None:
    """Take down which jobs were meant by the stops and skips that named none: the audit says so.

    It is compared with what was answered where a job was named.
    """
    rows = chaos.query(
        "SELECT at, action, job_id FROM audit WHERE action IN ('interrupt', 'skip', 'retry') ORDER BY number"
    )
    for entry in chaos.ledger.entries.values():
        told = [action for _, action, job in rows if job == entry.id]
        since = len(told) - told[::-1].index("retry") if "retry" in told else 0
        asked = [kind for kind, _ in entry.asked if kind in ("interrupt", "skip")]
        for action in told[since:]:
            if action in asked:
                asked.remove(action)
            else:  # of those that named no job; a job that runs is all that they can mean
                entry.note(action, "running")
        if asked and "retry" not in entry.unsure:
            chaos.problems.append(f"{entry.id}: {asked} was accepted and is not in the audit")
    for began, ended, owner, _ in chaos.interrupted_in_queue:
        for id, at in chaos.query("SELECT id, finished_at FROM jobs WHERE status = 'interrupted' AND owner = ?", owner):
            if id in chaos.ledger.entries and began - 0.01 <= at <= ended + 0.01:
                chaos.ledger.entries[id].interrupted_in_queue = True


def problems_of_endings(chaos: Chaos, jobs: dict[str, dict[str, Any]]) -> list[str]:
    """Name jobs that ended otherwise than they may, or that nobody knows."""
    found = []
    for entry in chaos.ledger.entries.values():
        job = jobs.get(entry.id)
        status = "gone" if job is None else job["status"]
        if job is None and "submit" in entry.unsure:
            continue
        if status not in entry.possible_ends():
            error = None if job is None else job["error"]
            found.append(f"{entry.id} is {status} instead of {entry.possible_ends()}: {entry.asked}, {error}")
        if job is not None:
            found += problems_of_job(chaos, entry, job)
    followers = {id for (id,) in chaos.query("SELECT id FROM jobs WHERE follows IS NOT NULL")}
    found += [
        f"nobody submitted {id}"
        for id, job in jobs.items()
        if job["owner"] in OWNERS and id not in chaos.ledger.entries and id not in followers
    ]
    found += [f"{id} is {job['status']}" for id, job in jobs.items() if job["status"] not in TERMINAL]
    return found


def problems_of_job(chaos: Chaos, entry: Entry, job: dict[str, Any]) -> list[str]:
    """Name what is wrong with the pictures and the deaths of one job."""
    found = []
    wanted, batch_size = entry.wish.image_count, entry.wish.request.get("batch_size", 1)
    whole = {output["index"] for output in job["outputs"] if not output["partial"]}
    missing_batches = {index // batch_size for index in range(wanted) if index not in whole}
    skips = entry.skips + (100 if "skip" in entry.unsure else 0)
    if job["status"] == "done" and len(missing_batches) > skips:
        found.append(f"{entry.id} is done with {sorted(whole)} of {wanted} pictures and {skips} skips")
    if [output["index"] for output in job["outputs"]] != sorted({output["index"] for output in job["outputs"]}):
        found.append(f"{entry.id} has a picture twice")
    if job["deaths"] > entry.kills:
        found.append(f"{entry.id} has {job['deaths']} deaths after {entry.kills} kills")
    stopped = any(kind in ("interrupt", "stop", "retry") for kind, _ in entry.asked) or entry.unsure
    counted = sum(not chaos.may_have_been_ordered(at) for at in entry.kills_at)
    if job["deaths"] < counted and not stopped:
        found.append(f"{entry.id} has only {job['deaths']} deaths after {counted} kills that nobody ordered")
    if job["status"] in ("done", "interrupted") and job["stopped_after_seconds"] is None and job["requested"]:
        found.append(f"{entry.id} was stopped, and nobody knows how fast")
    return found


def problems_of_files(chaos: Chaos) -> list[str]:
    """Name files without a row, rows without a file, and what is left over of snapshots and writes."""
    data = chaos.program.data
    rows = dict(chaos.query("SELECT name, status FROM images"))
    folders = (data / "outputs", data / "results")
    files = {str(path.relative_to(data)) for folder in folders for path in folder.rglob("*") if path.is_file()}
    found = [
        f"{name} has a row and no file" for name, status in rows.items() if status == "complete" and name not in files
    ]
    found += [f"{name} is a file and has no row" for name in sorted(files - rows.keys())]
    snapshots = data / "snapshots"
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not any(snapshots.glob("*")), 20, "no snapshot is left")
    return found + [f"{path.name} is left over though its job has ended" for path in snapshots.glob("*")]


def problems_of_pictures(chaos: Chaos, jobs: dict[str, dict[str, Any]]) -> list[str]:
    """Draw every request once more in peace, and compare each whole picture with it, byte for byte."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for job in jobs.values():
        if any(not output["partial"] for output in job["outputs"]):
            asked = {name: value for name, value in job["request"].items() if name not in OF_THE_CLIENT}
            if asked.get("seed") == -1:
                asked["seed"] = job["resolved"]["seed"]
            key = json.dumps([job["kind"], asked], sort_keys=True)
            groups.setdefault(key, []).append(job)
    found = []
    for key, group in groups.items():
        kind, asked = json.loads(key)
        peaceful = chaos.program.wait_for(chaos.program.submit(kind, **asked), timeout_seconds=300)
        wanted = picture_hashes(chaos.program.data, chaos, peaceful["id"])
        for job in group:
            for index, digest in picture_hashes(chaos.program.data, chaos, job["id"]).items():
                chaos.compared += 1
                if wanted.get(index) != digest:
                    found.append(
                        f"{job['id']}: picture {index} differs from an undisturbed one ({key}); {job['notes']}"
                    )
    return found


def picture_hashes(data: Path, chaos: Chaos, id: str) -> dict[int, str]:
    """Return the hash of each whole picture's file."""
    rows = chaos.query(
        "SELECT image_index, name FROM images WHERE job_id = ? AND status = 'complete' AND NOT partial", id
    )
    return {
        index: hashlib.sha256((data / name).read_bytes()).hexdigest() for index, name in rows if (data / name).exists()
    }


def orphans_of(data: Path) -> list[int]:
    """Return the processes that work on this data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if f"STEADY_DATA_DIR={data}\0".encode() in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
    return found
