"""Whether a benchmark's budgets are held, as words, as rows and as an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import describe_machine

# Names a file to which every figure is appended as a line of JSON.
ROWS_VARIABLE = "STEADY_BENCHMARK_ROWS"


class Verdicts:
    """The figures of one benchmark. One that misses its budget makes the exit code 1."""

    def __init__(self) -> None:
        self.command = " ".join(["python -m", _module(), *sys.argv[1:]])
        self.machine = describe_machine()
        self.rows: list[dict[str, object]] = []
        print(self.machine, flush=True)

    def at_most(self, what: str, value: float, budget: float, unit: str) -> str:
        """Keep a figure that may be no more than `budget`; return the words "budget 0.15 s: held"."""
        return self._keep(what, value, budget, unit, value <= budget)

    def holds(self, what: str, holds: bool) -> str:
        """Keep that something is so or is not; return "held" or "MISSED"."""
        return self._keep(what, holds, True, "", holds).rpartition(" ")[2]

    def end(self) -> None:
        """Write the rows if a file for them is named, and end the process: 1 when a budget was missed."""
        name = os.environ.get(ROWS_VARIABLE)
        if name:
            with Path(name).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
        missed = [row["what"] for row in self.rows if not row["held"]]
        if missed:
            print(f"MISSED: {', '.join(map(str, missed))}", flush=True)
        sys.exit(1 if missed else 0)

    def _keep(self, what: str, value: float | bool, budget: float | bool, unit: str, held: bool) -> str:
        figure = value if isinstance(value, bool) else round(value, 4)
        self.rows.append(
            {
                "command": self.command,
                "what": what,
                "value": figure,
                "budget": budget,
                "unit": unit,
                "held": held,
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "commit": _commit(),
                "machine": self.machine,
            }
        )
        return f"budget {budget:g} {unit}: {'held' if held else 'MISSED'}"


def _module() -> str:
    return f"benchmarks.{Path(sys.argv[0]).stem}"


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
