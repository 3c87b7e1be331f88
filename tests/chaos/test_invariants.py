"""What is checked after a chaotic run is found when it is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.chaos.driver import SECONDS_TO_OBEY, Chaos
from tests.chaos.invariants import problems_of
from tests.chaos.plan import Wish
from tests.program import Program

ID = "a" * 24
STOP = [(1.0, "interrupt", ID)]


class Told(Chaos):
    """A run of which the database says what the test says, and in which nothing is drawn any more."""

    def __init__(self, folder: Any, audit: list[tuple[float, str, str]]) -> None:
        super().__init__(cast("Program", SimpleNamespace(data=folder)), [], print)
        self._audit = audit

    def ask(self, *_: Any, **__: Any) -> Any:
        return {"total": 0, "jobs": []}

    def query(self, sql: str, *_: Any) -> list[Any]:
        if "FROM audit" in sql:
            return self._audit
        return [(1,)] if "FROM events" in sql else []


@pytest.mark.parametrize(("audit", "found"), [(STOP, 0), ([], 1), ([(1.0, "skip", ID)], 1)])
def test_a_stop_that_was_accepted_and_is_not_in_the_audit_is_a_problem(tmp_path: Any, audit: Any, found: int) -> None:
    chaos = Told(tmp_path, audit)
    chaos.ledger.add(ID, "me", Wish("txt2img", {}))
    chaos.ledger.entries[ID].note("interrupt", "running")
    problems = [problem for problem in problems_of(chaos) if problem.endswith("was accepted and is not in the audit")]
    assert len(problems) == found


def test_a_death_counts_again_when_an_order_has_been_obeyed(tmp_path: Any) -> None:
    chaos = Told(tmp_path, [])
    chaos._engine_orders.append(100.0)
    assert chaos.may_have_been_ordered(100.0 + SECONDS_TO_OBEY / 2)
    assert not chaos.may_have_been_ordered(100.0 + SECONDS_TO_OBEY)
    assert not chaos.may_have_been_ordered(99.0)
