"""Several processes and threads that claim, move, pause and submit at once: none gets what another has."""

from collections import Counter
from pathlib import Path

from modules.errors import QueueFull
from modules.jobs.rows import Actor, QueueLimits
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from tests.jobs.store.test_concurrency import all_outputs, at_once, outputs, start
from tests.jobs.store.test_job_store import submit

CLAIMER = (
    "store = JobStore(path)\n"
    "while job := store.claims.claim(arguments[0]):\n"
    "    print(job.id)\n"
    "    assert store.claims.finish(job.id, 'done').status in ('done', 'interrupted')\n"
)
MEDDLER = (
    "import random\n"
    "chance, store = random.Random(int(arguments[0])), JobStore(path)\n"
    "for _ in range(60):\n"
    "    ids = store.jobs.queued_ids()\n"
    "    if not ids: break\n"
    "    id = chance.choice(ids)\n"
    "    chance.choice([\n"
    "        lambda: store.queue.move(id, chance.choice(['front', 'back', 3])),\n"
    "        lambda: store.control.ask('pause', id).accepted and store.control.resume(id),\n"
    "        lambda: store.queue.prioritise(id, chance.choice([-1, 0, 1])),\n"
    "        lambda: store.queue.pause() and store.queue.resume(),\n"
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
    store.queue.resume()
    claimed = all_outputs(claimers) + all_outputs([start(CLAIMER, path, "engine-last")])  # for what was paused then
    assert Counter(claimed) == {f"job-{number}": 1 for number in range(60)}
    assert store.jobs.counts() == {"done": 60}
    numbers = [event.number for event in store.events.after(0, limit=10_000)]
    assert numbers == list(range(1, len(numbers) + 1))
    store.close()


def test_two_processes_that_wait_for_one_job_never_both_get_it(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    script = (
        "import time; store = JobStore(path)\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    job = store.claims.claim(arguments[0])\n"
        "    if job is None: time.sleep(0.001); continue\n"
        "    store.claims.finish(job.id, 'done')\n"
        "    if job.id.startswith('end'): break\n"
        "    print(job.id, flush=True)\n"
        "store.queue.submit('txt2img', {}, 'me', id='end-of-the-other')\n"
    )
    racers = [start(script, path, f"engine-{number}") for number in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for number in range(40):
        submit(store, f"job-{number}")
    submit(store, "end")  # it ends one of them, which submits the one that ends the other
    assert Counter(all_outputs(racers)) == {f"job-{number}": 1 for number in range(40)}
    assert all(job.attempts == 1 for job in store.jobs.page(limit=50)[0])
    store.close()


def test_threads_fill_the_queue_to_its_limit_and_no_further(store: JobStore) -> None:
    store.queue.limits = lambda: QueueLimits(total=25, per_owner=10)

    def try_one(owner: str) -> bool:
        try:
            submit(store, owner=owner)
        except QueueFull:
            return False
        return True

    assert sum(at_once([lambda: try_one("a")] * 20)) == 10
    accepted = at_once([lambda owner=owner: try_one(owner) for owner in "abc" * 15])  # type: ignore[misc]
    assert sum(accepted) == 15
    assert store.jobs.queued_count() == 25
    assert all(store.jobs.page(JobFilter(owner=owner))[1] <= 10 for owner in "abc")


def test_threads_that_interrupt_at_once_are_all_counted(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    answers = at_once([lambda: store.control.ask("interrupt", "a", by=Actor("me", "::1"))] * 20)
    assert sorted(answer.times for answer in answers) == list(range(1, 21))
    assert len(store.audit.rows()) == 20


def test_threads_that_finish_a_chain_at_once_make_one_successor(store: JobStore) -> None:
    store.queue.submit("txt2img", {}, "me", id="a", forever=True)
    store.claims.claim("engine")
    at_once([lambda: store.claims.finish("a", "done")] * 10)
    assert store.jobs.queued_count() == 1
