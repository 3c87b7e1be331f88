"""A restart of the server while a job runs: no request fails, and the job does not notice."""

import http.client
import json
import threading
import time

from tests.program import HoldableProgram, wait_until

REQUESTS = 200


class Traffic:
    """Clients that ask without a pause, with new connections and with kept ones, until they are told to stop."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stopped = threading.Event()
        self.answered = 0
        self.failed: list[str] = []
        self.instances: set[str] = set()
        self.threads = [threading.Thread(target=self.ask, args=(kept,)) for kept in (False, False, True, True)]

    def ask(self, kept: bool) -> None:
        """Poll the ping route; `kept` keeps the connection for as long as the server does."""
        connection: http.client.HTTPConnection | None = None
        while not self.stopped.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", "/internal/ping")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    self.failed.append(f"{answer.status} {body[:100]!r}")
                self.instances.add(json.loads(body)["instance"])
                self.answered += 1
                if not kept or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failed.append(f"kept={kept}: {error!r}")
                connection = None
            time.sleep(0.01)
        if connection:
            connection.close()

    def __enter__(self) -> "Traffic":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def test_restart_while_a_job_runs_fails_no_request(shared_program: HoldableProgram) -> None:
    program = shared_program
    program.hold()
    identity = program.submit(prompt="red heart", seed=3, steps=4, n_iter=2)
    program.wait_for_step(identity)
    engine = program.pid_of("modules.engine")
    waited: list[tuple[int, bytes]] = []
    request = {"prompt": "cat", "seed": 5, "steps": 4}
    client = threading.Thread(
        target=lambda: waited.append(program.call("POST", "/sdapi/v1/txt2img", request, timeout_seconds=400))
    )
    client.start()
    wait_until(lambda: program.get("/internal/pending-tasks")["size"] == 1, 20, "the client's job waits")
    with Traffic(program.port) as traffic:
        before = program.get("/internal/ping")["instance"]
        wait_until(lambda: before in traffic.instances, 20, "the old server answers the clients")
        assert program.post("/sdapi/v1/server-restart") == {}
        wait_until(lambda: program.get("/internal/ping")["instance"] != before, 60, "the new server answers")
        wait_until(lambda: len(traffic.instances) == 2, 30, "the new server answers the clients")
        wait_until(lambda: traffic.answered >= REQUESTS, 30, f"{REQUESTS} requests are answered")
    assert traffic.failed == []
    assert len(traffic.instances) == 2
    program.let_go()
    job = program.wait_for(identity, timeout_seconds=240)
    assert (job["status"], job["attempts"], len(job["outputs"])) == ("done", 1, 2)
    client.join(timeout=240)
    assert waited
    assert waited[0][0] == 200
    assert len(json.loads(waited[0][1])["images"]) == 1
    assert program.pid_of("modules.engine") == engine
    wait_until(lambda: len(program.children()) == 2, 20, "the old server is gone")
