"""How right the time is that the program says is left, over jobs of several sizes, steps and batch counts.

`python -m benchmarks.eta [embedded|full|both|thread] [rounds]`; budget: the median error from a third of the job on is
at most 15 % of what was left. In the first round nothing is known of the model; then the phases were learned. "full" is
a Stable Diffusion 1.5 of full size with random weights (2.1 GB, built anew in the temporary folder).

On a machine that others use too nobody can say how long a job will take. "thread" is for those: the embedded model in
this process, with the time that the drawing thread computes in the place of the clock on the wall.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.full_size_model import build
from benchmarks.verdict import Verdicts
from modules.engine.assembly import quieten_libraries
from modules.engine.worker import Worker
from tests.engine.own_engine import Engine
from tests.program import ROOT, TERMINAL, Program

BUDGET = 0.15
SECONDS_BETWEEN_QUESTIONS = 0.1
EMBEDDED: tuple[dict[str, Any], ...] = (
    {"width": 256, "height": 256, "steps": 30, "n_iter": 2},
    {"width": 256, "height": 256, "steps": 20, "n_iter": 6},
    {"width": 288, "height": 224, "steps": 20, "batch_size": 2, "n_iter": 2},
    {"width": 256, "height": 256, "steps": 25},
    {"width": 256, "height": 256, "steps": 15, "n_iter": 2, "sampler_name": "Heun"},
    {"width": 256, "height": 256, "steps": 60},
)
FULL: tuple[dict[str, Any], ...] = (
    {"width": 256, "height": 256, "steps": 12},
    {"width": 256, "height": 256, "steps": 6, "n_iter": 3},
    {"width": 384, "height": 256, "steps": 8, "batch_size": 2},
    {"width": 512, "height": 512, "steps": 5},
)
SAME: dict[str, Any] = {"prompt": "red heart", "seed": 1, "sampler_name": "Euler"}


@dataclass(frozen=True)
class Answer:
    """What was said of a job at a moment, in seconds of one clock."""

    at: float
    progress: float
    eta: float | None


@dataclass(frozen=True)
class Course:
    """A job from its beginning to its end, and all that was said of it."""

    began: float
    ended: float
    answers: list[Answer]

    def errors(self) -> tuple[list[float], list[float]]:
        """Return the errors from a third of the job on: as parts of what was left, and as parts of the whole job.

        To say nothing counts as to be wrong by all that is left.
        """
        whole = self.ended - self.began
        late = [answer for answer in self.answers if self.began + whole / 3 <= answer.at < self.ended]
        wrong = [(abs((answer.eta or 0.0) - (self.ended - answer.at)), self.ended - answer.at) for answer in late]
        return [error / left for error, left in wrong], [error / whole for error, _left in wrong]


def watch(program: Program, request: dict[str, Any]) -> Course:
    """Ask again and again how far a job of the real program is."""
    job_id = program.submit(**SAME | request)
    answers: list[Answer] = []
    while True:
        told = program.get("/sdapi/v1/progress?skip_current_image=true")["detail"]
        if told is not None and told["job"] == job_id:
            answers.append(Answer(time.time(), told["progress"], told["eta_seconds"]))
        elif (job := program.job(job_id))["status"] in TERMINAL:
            assert (job["status"], job["progress"]) == ("done", 1.0), job["error"]
            return Course(float(job["started_at"]), float(job["finished_at"]), answers)
        time.sleep(SECONDS_BETWEEN_QUESTIONS)


def follow(engine: Engine, request: dict[str, Any]) -> Course:
    """Draw a job on this thread and take down all that is told of it, by the time that the thread computes."""
    answers: list[Answer] = []

    def publish(topic: str, value: Any) -> None:
        if topic == "progress" and value is not None:
            answers.append(Answer(time.thread_time(), value["progress"], value["eta_seconds"]))

    engine.worker = Worker(engine.parts, publish, time.thread_time)
    began = time.thread_time()
    job = engine.draw(**SAME | request)
    assert job.status == "done", job.error
    ended = answers.pop()
    assert ended.progress == 1.0
    return Course(began, ended.at, answers)


def describe(request: dict[str, Any]) -> str:
    """Return a request in few words."""
    count = f"{request.get('n_iter', 1)} × {request.get('batch_size', 1)}"
    sampler = request.get("sampler_name", "Euler")
    return f"{request['width']}×{request['height']}, {request['steps']:2} steps, {count}, {sampler}"


def report(turn: int, request: dict[str, Any], course: Course) -> float | None:
    """Print what was wrong with a job, and return its median error; None when nobody could ask."""
    values = [answer.progress for answer in course.answers]
    assert values == sorted(values), "progress fell"
    of_rest, of_whole = course.errors()
    if not of_rest:
        return None
    first = next((answer for answer in course.answers if answer.eta is not None), None)
    at_first = f"; {first.at - course.began:.1f} s after the start {first.eta:.1f} s were left" if first else ""
    rest, whole = 100 * statistics.median(of_rest), 100 * statistics.median(of_whole)
    print(
        f"  round {turn + 1}: {describe(request):36} {course.ended - course.began:6.1f} s;"
        f" {rest:4.0f} % of the rest, {whole:4.1f} % of the job;"
        f" {len(of_rest)} answers{at_first}",
        flush=True,
    )
    return statistics.median(of_rest)


def measure(draw: Any, requests: tuple[dict[str, Any], ...], rounds: int) -> list[float]:
    """Draw each request in each round and return the median error of every job."""
    medians = [report(turn, request, draw(request)) for turn in range(rounds) for request in requests]
    return [median for median in medians if median is not None]


def main() -> None:
    """Measure and print."""
    which = sys.argv[1] if len(sys.argv) > 1 else "embedded"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    verdicts = Verdicts()
    print(f"{which}: median error of the time left, from a third of the job on")
    medians: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if which == "thread":
            quieten_libraries()
            engine = Engine(folder / "data", ROOT / "models")
            engine.options.update({"sd_model_checkpoint": "emoji"})
            medians += measure(lambda request: follow(engine, request), EMBEDDED, rounds)
            engine.close()
        if which in ("embedded", "both"):
            with Program(folder / "data") as program:
                medians += measure(lambda request: watch(program, request), EMBEDDED, rounds)
        if which in ("full", "both"):
            build(folder / "models" / "Stable-diffusion" / "full")
            with Program(folder / "full", "--models-dir", str(folder / "models")) as program:
                program.post("/sdapi/v1/options", {"sd_model_checkpoint": "full"})
                medians += measure(lambda request: watch(program, request), FULL, rounds)
    overall = statistics.median(medians)
    held = verdicts.at_most(f"median error of the time left, {len(medians)} jobs", 100 * overall, 100 * BUDGET, "%")
    print(f"median over {len(medians)} jobs: {100 * overall:.1f} %, {held}; worst job {100 * max(medians):.0f} %")
    verdicts.end()


if __name__ == "__main__":
    main()
