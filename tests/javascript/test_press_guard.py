"""Which presses come a moment too late, `drawing/press_guard.js`."""

from __future__ import annotations

from collections.abc import Sequence

from tests.javascript.model import evaluate

# Esc that stops a job, the end of it, and another job: what is told of it, and when (ms).
OF_ESC = """
const guard = new PressGuard();
guard.means("interrupt", "", 0);
guard.means("interrupt", "Interrupt one", 1000);
for (const [meaning, now] of told) {
  if (meaning === null) guard.forget("interrupt");
  else guard.means("interrupt", meaning, now);
}
return guard.hasTurned("interrupt", at);
"""


def is_too_late(told: Sequence[tuple[str | None, int]], at: int) -> bool:
    values = {"told": told, "at": at}
    (late,) = evaluate(["../drawing/press_guard.js"], values, f"(() => {{ {OF_ESC} }})()")
    return bool(late)


def test_a_key_meant_for_the_job_before_stops_not_the_next_one() -> None:
    next_one = [("", 2000), ("Interrupt two", 2100)]
    assert is_too_late(next_one, at=2200)
    assert not is_too_late(next_one, at=2500)


def test_who_has_asked_for_a_job_since_means_that_one() -> None:
    assert not is_too_late([("", 2000), (None, 2050), ("Interrupt two", 2100)], at=2200)


def test_a_job_that_was_asked_for_before_the_end_of_the_other_is_not_meant() -> None:
    assert is_too_late([(None, 1500), ("", 2000), ("Interrupt two", 2100)], at=2200)
