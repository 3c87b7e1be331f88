"""Restarts that wait for their moment, with the real engine: nothing of the job is lost or drawn twice."""

import contextlib
import http.client
import threading

from tests.program import HoldableProgram, Program, wait_until


class Follower(threading.Thread):
    """A REST client of the event stream that comes back whenever it ends and names the last number that it saw.

    Until `over` is set: one that went on when the program has ended would ask for ever.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.numbers: list[int] = []
        self.last: int | None = None
        self.connections = 0
        self.over = threading.Event()

    def __enter__(self) -> "Follower":
        self.start()
        wait_until(lambda: self.last is not None, 20, "the follower has its snapshot")
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()

    def run(self) -> None:
        while not self.over.wait(0.02):
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.read()

    def read(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {} if self.last is None else {"Last-Event-ID": str(self.last)}
        connection.request("GET", "/sdapi/v1/events", headers=headers)
        answer = connection.getresponse()
        self.connections += 1
        number: int | None = None
        for raw in answer:
            line = raw.decode().strip()
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith('data: {"type":"event"') and number is not None:
                self.numbers.append(number)
            if line.startswith("data: ") and number is not None:
                self.last, number = number, None
        connection.close()


def saved_files(program: Program) -> int:
    return len(list((program.data / "outputs").rglob("*.png")))


def engines(program: Program) -> list[int]:
    return [pid for pid, line in program.children().items() if "modules.engine" in line]


def test_an_engine_restart_after_the_image_then_one_of_the_server_when_idle(shared_program: HoldableProgram) -> None:
    with Follower(shared_program.port) as follower:
        restarts_are_seen(shared_program, follower)


def restarts_are_seen(program: HoldableProgram, follower: Follower) -> None:
    first, before = follower.last or 0, saved_files(program)
    program.hold()
    identity = program.submit(prompt="red heart", seed=3, steps=4, n_iter=3)
    program.wait_for_step(identity)
    engine, instance = program.pid_of("modules.engine"), program.get("/internal/ping")["instance"]
    ordered = program.post("/sdapi/v1/engine-restart", {"when": "after-image"})
    assert ordered["waiting"]["command"] == "restart-engine-after-image"
    program.let_go()
    wait_until(lambda: engine not in program.children(), 90, "that engine has ended")
    program.hold()
    wait_until(lambda: engines(program), 90, "another engine runs")
    assert len(program.job(identity)["outputs"]) >= 1, "the image that was drawn then is complete"
    program.post("/sdapi/v1/server-restart", {"when": "idle"})
    assert program.get("/internal/ping")["instance"] == instance
    program.let_go()
    job = program.wait_for(identity, timeout_seconds=240)
    assert (job["status"], job["deaths"], [one["index"] for one in job["outputs"]]) == ("done", 0, [0, 1, 2])
    wait_until(lambda: program.get("/internal/ping")["instance"] != instance, 60, "another server answers")
    assert saved_files(program) == before + 3
    actions = [row["action"] for row in program.get("/sdapi/v1/audit")["audit"]]
    assert actions[:2] == ["restart-when-idle", "restart-engine-after-image"]
    program.post("/sdapi/v1/options", {"samples_save": False})
    last = newest_event(program)
    wait_until(lambda: follower.last == last, 20, f"event {last} reaches the follower, which has {follower.last}")
    assert follower.numbers == list(range(first + 1, last + 1)), "each event once, in order, over the swap"
    assert follower.connections == 2
    program.post("/sdapi/v1/options", {"samples_save": True})


def newest_event(program: Program) -> int:
    """Return the number of the last event, as the snapshot has it."""
    with Follower(program.port) as late:
        return late.last or 0
