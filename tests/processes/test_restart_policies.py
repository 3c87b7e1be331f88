"""Restarts that wait for their moment, with the real engine: nothing of the job is lost or drawn twice."""

from tests.program import Program, wait_until


def engines(program: Program) -> list[int]:
    return [pid for pid, line in program.children().items() if "modules.engine" in line]


def test_an_engine_restart_after_the_image_then_one_of_the_server_when_idle(program: Program) -> None:
    identity = program.submit(prompt="red heart", seed=3, steps=40, n_iter=3)
    program.wait_for_step(identity)
    engine, instance = program.pid_of("modules.engine"), program.get("/internal/ping")["instance"]
    ordered = program.post("/sdapi/v1/engine-restart", {"when": "after-image"})
    assert ordered["waiting"]["command"] == "restart-engine-after-image"
    wait_until(lambda: engine not in program.children() and engines(program), 90, "another engine runs")
    assert len(program.job(identity)["outputs"]) >= 1, "the image that was drawn then is complete"
    program.post("/sdapi/v1/server-restart", {"when": "idle"})
    assert program.get("/internal/ping")["instance"] == instance
    job = program.wait_for(identity, timeout_seconds=240)
    assert (job["status"], job["deaths"], [one["index"] for one in job["outputs"]]) == ("done", 0, [0, 1, 2])
    wait_until(lambda: program.get("/internal/ping")["instance"] != instance, 60, "another server answers")
    assert len(list((program.data / "outputs").rglob("*.png"))) == 3
    actions = [row["action"] for row in program.get("/sdapi/v1/audit")["audit"]]
    assert actions[:2] == ["restart-when-idle", "restart-engine-after-image"]
