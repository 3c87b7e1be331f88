"""What people and clients ask of jobs and of the queue."""

import http.client
import json
import threading
import time
from typing import Any

from tests.chaos.ledger import Entry
from tests.chaos.plan import OWNERS, Step, Wish
from tests.chaos.talker import Talker

MOST_WAITING = 5


class Deeds(Talker):
    """Each `do_` method does a step of the plan and says what came of it. What cannot be done now is left out."""

    def do_submit(self, step: Step, wish: Wish | None = None, **more: Any) -> str:
        """Queue a job under an id of ours; when the answer is lost, send it again: twice is once."""
        if self.count("queued") >= MOST_WAITING and not more:
            return "the queue is long"
        wish = wish or self._wish(step)
        owner, id = OWNERS[int(step.more * len(OWNERS))], f"job-{step.number}"
        self.ledger.add(id, owner, wish, chain=bool(more))
        body = {"kind": wish.kind, "request": wish.request, "owner": owner, "id": id, **more}
        for _ in range(5):
            answer = self.ask("POST", "/sdapi/v1/jobs", body)
            if answer is not None:
                return f"{answer['id']} {answer['status']} ({wish.kind}, {owner})"
        raise AssertionError("a job could not be submitted in five tries")

    def do_skip(self, step: Step) -> str:
        return self.request("skip", step, "running")

    def do_interrupt(self, step: Step) -> str:
        return self.request("interrupt", step, "running", "queued", "paused")

    def do_stop(self, step: Step) -> str:
        return self.request("stop", step, "running")

    def do_pause(self, step: Step) -> str:
        return self.request("pause", step, "running" if step.more < 0.7 else "queued")

    def do_resume(self, step: Step) -> str:
        return self.request("resume", step, "paused")

    def do_retry(self, step: Step) -> str:
        return self.request("retry", step, "interrupted")

    def do_move(self, step: Step) -> str:
        to = "front" if step.more < 0.4 else "back" if step.more < 0.6 else 1 + int(step.more * 5)
        return self.request("move", step, "queued", body={"to": to})

    def do_priority(self, step: Step) -> str:
        return self.request("priority", step, "queued", body={"priority": int(step.more * 3)})

    def do_forever(self, step: Step) -> str:
        """Submit a short job that is followed by others like it."""
        request = {"prompt": "sun", "seed": 7000 + step.number, "steps": 6, "width": 64, "height": 64, "batch_size": 1}
        return self.do_submit(step, Wish("txt2img", {**request, "n_iter": 1}), forever=True)

    def do_not_forever(self, step: Step) -> str:
        """End every chain."""
        return ", ".join(self.end_chains()) or "there is none"

    def do_remove(self, step: Step) -> str:
        """Take a waiting job out."""
        waiting = [id for id in self.jobs_in(("queued",)) if id in self.ledger.entries]
        if not waiting:
            return "nothing waits"
        entry = self.ledger.entries[waiting[int(step.chance * len(waiting))]]
        status, body = self.raw("DELETE", f"/sdapi/v1/jobs/{entry.id}?waiting=true")
        if status == 200:
            entry.note("remove", "queued")
        elif status is None:
            entry.unsure.add("remove")
        elif status not in (404, 409):
            self.problems.append(f"DELETE {entry.id}: {status} {body[:200]!r}")
        return f"{entry.id} {status}"

    def do_skip_running(self, step: Step) -> str:
        self.ask("POST", "/sdapi/v1/skip")
        return "asked"

    def do_interrupt_running(self, step: Step) -> str:
        self.ask("POST", "/sdapi/v1/interrupt")
        return "asked"

    def do_interrupt_waiting(self, step: Step) -> str:
        owner = OWNERS[int(step.chance * len(OWNERS))]
        began = time.time()
        answer = self.ask("POST", "/sdapi/v1/queue/interrupt-waiting", {"owner": owner})
        count = None if answer is None else answer["interrupted"]
        self.interrupted_in_queue.append((began, time.time(), owner, count))
        return f"{owner}: {count}"

    def do_pause_queue(self, step: Step) -> str:
        return str(self.ask("POST", "/sdapi/v1/queue/pause"))

    def do_resume_queue(self, step: Step) -> str:
        return str(self.ask("POST", "/sdapi/v1/queue/resume"))

    def do_ask_nonsense(self, step: Step) -> str:
        """What is not possible is refused in words and changes nothing."""
        wrong = [
            ("/sdapi/v1/jobs/nosuch/pause", {}, 404), ("/sdapi/v1/jobs/nosuch/move", {"to": "front"}, 404),
            ("/sdapi/v1/server-restart", {"when": "never"}, 422), ("/sdapi/v1/jobs", {"request": {"steps": 0}}, 422),
        ]  # fmt: skip
        path, body, wanted = wrong[int(step.chance * len(wrong))]
        status, answer = self.raw("POST", path, body)
        if status not in (wanted, None):
            self.problems.append(f"POST {path} {body}: {status} {answer[:200]!r} instead of {wanted}")
        return f"{path}: {status}"

    def do_wait_for_a_picture(self, step: Step) -> str:
        """A client waits in txt2img or img2img. It is answered unless its server is killed."""
        if self.count("queued") >= MOST_WAITING:
            return "the queue is long"
        wish = self._wish(step)
        if wish.kind in ("extras", "grid"):
            return f"there is no route /sdapi/v1/{wish.kind}"
        id = f"job-{step.number}"
        self.ledger.add(id, "127.0.0.1", wish)
        client = threading.Thread(target=self._wait_for_picture, args=(wish, id), daemon=True)
        client.start()
        self.waiting_clients.append(client)
        return id

    def do_drop_readers(self, step: Step) -> str:
        for reader in self.readers:
            reader.drop()
        return ", ".join(f"{reader.name} has seen {len(reader.numbers)}" for reader in self.readers)

    def request(self, kind: str, step: Step, *statuses: str, body: dict[str, Any] | None = None) -> str:
        """Ask something of a job and take down the answer; mostly of one in a status in which it makes sense."""
        fitting = [] if step.more < 0.15 else self.jobs_in(statuses)
        known = [id for id in fitting if id in self.ledger.entries]
        entry = self.ledger.entries[known[int(step.chance * len(known))]] if known else self.ledger.pick(step.chance)
        if entry is None:
            return "no job yet"
        status, answer = self.raw("POST", f"/sdapi/v1/jobs/{entry.id}/{kind}", body or {})
        if status is None:
            entry.unsure.add(kind)
            return f"{entry.id}: the answer is lost"
        if status == 404:
            if not entry.removed and not entry.unsure and not self._is_new(entry):
                self.problems.append(f"{kind} {entry.id}: there is no such job")
            return f"{entry.id} is gone"
        if status != 200:
            self.problems.append(f"{kind} {entry.id}: {status} {answer[:300]!r}")
            return f"{entry.id} {status}"
        told = json.loads(answer)
        if told["accepted"] and not self._meant_a_follower(entry):
            entry.note(kind, told["was"])
        return f"{entry.id} {told}"

    def end_chains(self) -> list[str]:
        """Let no job be followed by another any more."""
        ended = []
        for entry in [entry for entry in self.ledger.entries.values() if entry.chain and not entry.removed]:
            answer = self.ask("POST", f"/sdapi/v1/jobs/{entry.id}/forever", {"on": False})
            if answer is not None and answer["accepted"]:
                ended.append(answer["job"])
        return ended

    def _wish(self, step: Step) -> Wish:
        return self.wishes[int(step.chance * len(self.wishes))]

    def _wait_for_picture(self, wish: Wish, id: str) -> None:
        began = time.monotonic()
        body = {**wish.request, "force_task_id": id}
        try:
            status, answer = self.program.call("POST", f"/sdapi/v1/{wish.kind}", body, timeout_seconds=600)
        except (OSError, http.client.HTTPException) as error:
            self.ledger.entries[id].unsure.add("submit")
            if not self._was_killed_since(began):
                self.problems.append(f"a client that waited for {id} was left alone: {error!r}")
            return
        # A server that is replaced, or whose launcher is gone, does not stay for a job that may wait for days.
        left = status == 503 and (b"is paused and the server is replaced" in answer or self._was_killed_since(began))
        if status == 410:
            self.told_gone.append(id)
        elif status != 200 and not left:
            self.problems.append(f"a client that waited for {id} was answered {status} {answer[:300]!r}")

    def _meant_a_follower(self, entry: Entry) -> bool:
        """Tell whether a request was for a job that follows this one: it goes to the last of a chain."""
        return entry.chain and self.query("SELECT status FROM jobs WHERE id = ?", entry.id) == [("done",)]

    def _is_new(self, entry: Entry) -> bool:
        """Tell whether the job of a waiting client may not have been stored yet."""
        return entry.owner == "127.0.0.1"
