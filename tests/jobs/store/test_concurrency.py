"""Several threads and processes at once: no job twice, no number twice, no event lost."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from modules.paths import ROOT
from tests.jobs.store.test_job_store import submit

THREADS = 8
T = TypeVar("T")


def at_once(deeds: list[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(deed) for deed in deeds]]


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a script in a process of its own; it finds the store's path in `path` and the rest in `arguments`."""
    head = (
        "import sys; from pathlib import Path; from modules.jobs.store.job_store import JobStore\n"
        "path, arguments = Path(sys.argv[1]), sys.argv[2:]\n"
    )
    command = [sys.executable, "-c", head + script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def outputs(processes: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Wait for the processes and return the words that each printed."""
    texts = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [text.split() for text in texts]


def all_outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    return list(itertools.chain.from_iterable(outputs(processes)))


def test_threads_that_submit_one_id_make_one_job(store: JobStore) -> None:
    jobs = at_once([lambda: submit(store, "same")] * 40)
    assert {job.number for job in jobs} == {1}
    assert [event.kind for event in store.events.after(0)] == ["job"]


def test_threads_never_get_a_number_twice(store: JobStore) -> None:
    for id in ("a", "b"):
        submit(store, id)
    images = at_once(
        [
            lambda id=id, index=index: store.images.reserve(id, index, index, 64, 64, save=True)  # type: ignore[misc]
            for index in range(40)
            for id in ("a", "b")
        ]
    )
    numbers = sorted(int(Path(image.name).name.split("-")[0]) for image in images)
    assert numbers == list(range(80))


def test_threads_that_claim_never_get_the_same_job(store: JobStore) -> None:
    for number in range(60):
        submit(store, f"job-{number}")
    claimed = at_once([lambda: store.claims.claim("engine")] * 80)
    ids = [job.id for job in claimed if job]
    assert sorted(ids) == sorted(f"job-{number}" for number in range(60))


def test_announced_numbers_never_fall_and_reach_the_last(store: JobStore) -> None:
    announced: list[int] = []
    store.database.announce = announced.append
    at_once([lambda: submit(store)] * 50)
    assert len(announced) == 50
    assert announced == sorted(announced)
    assert announced[-1] == store.events.last() == 50


def test_processes_that_claim_never_get_the_same_job(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    for number in range(60):
        submit(store, f"job-{number}")
    script = (
        "store = JobStore(path)\n"
        "while job := store.claims.claim(arguments[0]):\n"
        "    print(job.id)\n"
        "    store.claims.finish(job.id, 'done')\n"
    )
    claimed = all_outputs([start(script, path, f"engine-{number}") for number in range(3)])
    assert sorted(claimed) == sorted(f"job-{number}" for number in range(60))
    assert store.jobs.page(JobFilter(("done",)))[1] == 60
    numbers = [event.number for event in store.events.after(0)]
    assert numbers == list(range(1, 181))
    store.close()


def test_processes_that_reserve_never_get_the_same_number(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    script = (
        "store = JobStore(path); job = store.queue.submit('txt2img', {}, 'me')\n"
        "for index in range(30): print(store.images.reserve(job.id, index, 5, 64, 64, save=True).name)\n"
    )
    names = all_outputs([start(script, path) for _ in range(3)])
    assert len(set(names)) == 90
    assert sorted(int(Path(name).name.split("-")[0]) for name in names) == list(range(90))
    store.close()


def test_processes_that_start_together_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    script = "print(JobStore(path).queue.submit('txt2img', {}, 'me', id='same').number)"
    assert outputs([start(script, path) for _ in range(4)]) == [["1"]] * 4


def test_processes_that_start_together_set_a_corrupt_database_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"not a database" * 1000)
    script = "store = JobStore(path); store.queue.submit('txt2img', {}, 'me'); print(len(store.database.notices))"
    told = outputs([start(script, path) for _ in range(4)])
    assert told == [["1"]] * 4  # whoever found it out
    store = JobStore(path)
    assert store.jobs.page()[1] == 4
    assert len(store.database.notices) == 1
    assert (tmp_path / "jobs.sqlite.corrupt-1").exists()
    assert not (tmp_path / "jobs.sqlite.corrupt-2").exists()
    store.close()
