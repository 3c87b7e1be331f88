"""Several processes and threads that claim, move, pause and submit at once: none gets what another has."""

from collections import Counter
from pathlib import Path

from modules.errors import QueueFull
from modules.jobs.rows import Actor, QueueLimits
from modules.jobs.store.job_store import JobStore
from tests.jobs.store.test_concurrency import all_outputs, at_once, outputs, start
from tests.jobs.store.test_job_store import submit

CLAIMER = (
    "store = JobStore(path)\n"
    "while job := store.claim(arguments[0]):\n"
    "    print(job.id)\n"
    "    assert store.finish(job.id, 'done').status in ('done', 'interrupted')\n"
)
MEDDLER = (
    "import random\n"
    "chance, store = random.Random(int(arguments[0])), JobStore(path)\n"
    "for _ in range(60):\n"
    "    ids = store.queued_ids()\n"
    "    if not ids: break\n"
    "    id = chance.choice(ids)\n"
    "    chance.choice([\n"
    "        lambda: store.move(id, chance.choice(['front', 'back', 3])),\n"
    "        lambda: store.request('pause', id).accepted and store.resume(id),\n"
    "        lambda: store.prioritise(id, chance.choice([-1, 0, 1])),\n"
    "        lambda: store.pause_queue() and store.resume_queue(),\n"
    "    ])()\n"
)


def test_processes_claim_while_others_move_and_pause(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    for number in range(60):
        submit(store, f"job-{number}", owner="abc"[number % 3])
    meddlers = [start(MEDDLER, path, number) for number in range(2)]
    claimers = [start(CLAIMER, path, f"engine-{number}") for number in range(2)]
    outputs(meddlers)
    store.resume_queue()
    claimed = all_outputs(claimers) + all_outputs([start(CLAIMER, path, "engine-last")])  # for what was paused then
    assert Counter(claimed) == {f"job-{number}": 1 for number in range(60)}
    assert store.counts() == {"done": 60}
    numbers = [event.number for event in store.events_after(0, limit=10_000)]
    assert numbers == list(range(1, len(numbers) + 1))
    store.close()


def test_two_processes_that_wait_for_one_job_never_both_get_it(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    script = (
        "import time; store = JobStore(path)\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    job = store.claim(arguments[0])\n"
        "    if job is None: time.sleep(0.001); continue\n"
        "    store.finish(job.id, 'done')\n"
        "    if job.id.startswith('end'): break\n"
        "    print(job.id, flush=True)\n"
        "store.submit('txt2img', {}, 'me', id='end-of-the-other')\n"
    )
    racers = [start(script, path, f"engine-{number}") for number in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for number in range(40):
        submit(store, f"job-{number}")
    submit(store, "end")  # it ends one of them, which submits the one that ends the other
    assert Counter(all_outputs(racers)) == {f"job-{number}": 1 for number in range(40)}
    assert all(job.attempts == 1 for job in store.jobs(limit=50)[0])
    store.close()


def test_threads_fill_the_queue_to_its_limit_and_no_further(store: JobStore) -> None:
    store.limits = lambda: QueueLimits(total=25, per_owner=10)

    def try_one(owner: str) -> bool:
        try:
            submit(store, owner=owner)
        except QueueFull:
            return False
        return True

    assert sum(at_once([lambda: try_one("a")] * 20)) == 10
    accepted = at_once([lambda owner=owner: try_one(owner) for owner in "abc" * 15])  # type: ignore[misc]
    assert sum(accepted) == 15
    assert store.queued_count() == 25
    assert all(store.jobs(owner=owner)[1] <= 10 for owner in "abc")


def test_threads_that_interrupt_at_once_are_all_counted(store: JobStore) -> None:
    submit(store, "a")
    store.claim("engine")
    answers = at_once([lambda: store.request("interrupt", "a", by=Actor("me", "::1"))] * 20)
    assert sorted(answer.times for answer in answers) == list(range(1, 21))
    assert len(store.audit()) == 20


def test_threads_that_finish_a_chain_at_once_make_one_successor(store: JobStore) -> None:
    store.submit("txt2img", {}, "me", id="a", forever=True)
    store.claim("engine")
    at_once([lambda: store.finish("a", "done")] * 10)
    assert store.queued_count() == 1
