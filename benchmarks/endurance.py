"""Two hundred jobs with skips, interrupts, pauses, kills and restarts: all end right, and the memory stays flat.

`python -m benchmarks.endurance [jobs] [seed]`; budget: every job in the right state, every picture that of an
undisturbed run, memory of server and engine at most 5 % over its level after the 20th job. The first part is the chaos
of tests/chaos with processes killed and restarted; in the second half of the jobs no process is ended, so that what
leaks can pile up.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.memory import megabytes
from benchmarks.verdict import Verdicts
from tests.chaos.driver import Chaos
from tests.chaos.invariants import drain, orphans_of, problems_of
from tests.chaos.plan import BLOWS, Step, steps, wishes
from tests.program import Program, wait_until

LEVEL_AFTER = 20
SHARE_ALLOWED = 1.05
ROLES = {"server": "app.py", "engine": "modules.engine"}
SECONDS_AT_MOST = 3600
# Ending a process would hide what it leaks.
_RESTARTING = ("restart later",)


@dataclass
class Memory:
    """The resident memory of server and engine in MB, by the number of jobs that have ended."""

    samples: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    def take(self, program: Program, ended: int) -> None:
        """Note where it stands."""
        children = program.children()
        now = {role: megabytes(pid) for role, part in ROLES.items() for pid, line in children.items() if part in line}
        self.samples.append((ended, now))

    def verdict(self, role: str, since: int, verdicts: Verdicts) -> str:
        """Compare every later sample with the level after the first jobs of the processes that lived to the end."""
        values = [(ended, now[role]) for ended, now in self.samples if ended >= since and role in now]
        level = next((value for ended, value in values if ended >= since + LEVEL_AFTER), None)
        if level is None:
            return f"{role}: fewer than {LEVEL_AFTER} jobs were drawn without a restart"
        highest = max(value for ended, value in values if ended >= since + LEVEL_AFTER)
        share = highest / level
        held = verdicts.at_most(f"memory of the {role} over its level", share, SHARE_ALLOWED, "×")
        return (
            f"{role}: {values[0][1]:.0f} MB at first, {level:.0f} after {LEVEL_AFTER} jobs, highest {highest:.0f}, "
            f"last {values[-1][1]:.0f}: × {share:.3f}, {held}"
        )


def ended_jobs(chaos: Chaos) -> int:
    """Return how many jobs have ended."""
    query = "SELECT count(*) FROM jobs WHERE status NOT IN ('queued', 'running', 'paused')"
    return int(chaos.query(query)[0][0])


def run_until(chaos: Chaos, plan_seed: int, jobs: int, memory: Memory, first: int, blows: tuple[str, ...]) -> int:
    """Do the plan until so many jobs have ended; return the number of the next step."""
    plan = steps(plan_seed, blows)
    told_at, ends_at = -1, time.monotonic() + SECONDS_AT_MOST
    while (ended := ended_jobs(chaos)) < jobs and time.monotonic() < ends_at:
        step = next(plan)
        if blows or step.deed not in _RESTARTING:
            chaos.perform(Step(first + step.number, step.wait, step.deed, step.chance, step.more))
        if ended > told_at:
            told_at = ended
            memory.take(chaos.program, ended)
    return first + 100_000


def main() -> None:
    """Run and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    verdicts = Verdicts()
    print(f"{jobs} jobs, seed {seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, Program(Path(name) / "data") as program:
        samplers = [sampler["name"] for sampler in program.get("/sdapi/v1/samplers")]
        chaos = Chaos(program, wishes(seed, samplers), lambda line: None)
        chaos.start_readers()
        memory = Memory()
        first = run_until(chaos, seed, jobs // 2, memory, 0, BLOWS)
        drain(chaos)
        since = ended_jobs(chaos)
        memory.take(program, since)
        run_until(chaos, seed + 1, max(jobs, since + 2 * LEVEL_AFTER), memory, first, ())
        drain(chaos)
        memory.take(program, ended_jobs(chaos))
        counts = dict(chaos.query("SELECT status, count(*) FROM jobs GROUP BY status"))
        deaths = chaos.query("SELECT sum(deaths) FROM jobs")[0][0]
        events = chaos.query("SELECT count(*) FROM events")[0][0]
        took = time.monotonic() - began
        problems = problems_of(chaos)
        kills = sum(entry.kills for entry in chaos.ledger.entries.values())
        data = program.data
    wait_until(lambda: not orphans_of(data), 10, "no process is left")
    print(f"{sum(counts.values())} jobs in {took:.0f} s: {counts}; {kills} kills amid a job, {deaths} deaths counted,")
    seen = ", ".join(f"{one.name} over {one.connections} connections" for one in chaos.readers)
    print(f"  {events} events, all seen by {seen}")
    for role in ROLES:
        print("  " + memory.verdict(role, since, verdicts))
    verdicts.at_most("wrong states, files or pictures", len(problems), 0, "problems")
    print("  every state, file and picture is right" if not problems else "  WRONG:\n    " + "\n    ".join(problems))
    verdicts.end()


if __name__ == "__main__":
    main()
