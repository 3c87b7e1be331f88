"""What people and machines do to the program, at random, against the real processes; then all must be right."""

import random
import time
from pathlib import Path

import pytest

from tests.chaos.driver import Chaos
from tests.chaos.invariants import drain, orphans_of, problems_of
from tests.chaos.plan import BLOWS, steps, wishes
from tests.program import Program, wait_until

USUAL_SECONDS = 25
LEAST_BLOWS = 3  # also where a busy machine has done little in that time


def test_nothing_is_lost_in_chaos(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    minutes = request.config.getoption("--chaos-minutes")
    seed = request.config.getoption("--chaos-seed")
    seed = random.randrange(10**6) if seed is None else seed
    print(f"chaos: repeat with --chaos-seed {seed}")
    seconds = USUAL_SECONDS if minutes is None else minutes * 60
    with Program(tmp_path / "data") as program:
        samplers = [sampler["name"] for sampler in program.get("/sdapi/v1/samplers")]
        chaos = Chaos(program, wishes(seed, samplers), lambda line: print(line, flush=True))
        program.wait_for(program.submit(prompt="cat", steps=1))  # the engine is up
        chaos.start_readers()
        ends_at = time.monotonic() + seconds
        plan, blows = steps(seed), 0
        while time.monotonic() < ends_at or blows < LEAST_BLOWS:
            step = next(plan)
            blows += step.deed in BLOWS
            chaos.perform(step)
        print(f"chaos: {seconds:.0f} s and {blows} blows are over, the queue is drained")
        drain(chaos)
        problems = problems_of(chaos)
        counts = chaos.query("SELECT kind, status, count(*) FROM jobs GROUP BY kind, status")
    print(f"chaos: {counts}, {chaos.compared} pictures compared with those of an undisturbed run")
    wait_until(lambda: not orphans_of(program.data), 10, "no process is left")
    assert not problems, f"with --chaos-seed {seed}:\n" + "\n".join(problems)
    assert chaos.compared > 0
