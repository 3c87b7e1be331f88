"""A benchmark that misses a budget fails, and leaves its figures as rows."""

import json
from pathlib import Path

import pytest

from benchmarks.verdict import ROWS_VARIABLE, Verdicts


@pytest.mark.parametrize(("value", "code"), [(0.1, 0), (0.11, 1)])
def test_a_miss_is_the_exit_code(value: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.jsonl"
    monkeypatch.setenv(ROWS_VARIABLE, str(rows))
    verdicts = Verdicts()
    assert verdicts.at_most("a stop", value, 0.1, "s") == f"budget 0.1 s: {'MISSED' if code else 'held'}"
    with pytest.raises(SystemExit) as ended:
        verdicts.end()
    assert ended.value.code == code
    (row,) = [json.loads(line) for line in rows.read_text().splitlines()]
    assert (row["what"], row["value"], row["budget"], row["held"]) == ("a stop", value, 0.1, code == 0)
    assert row["machine"] and row["commit"]


def test_what_is_not_so_is_a_miss_too() -> None:
    verdicts = Verdicts()
    assert verdicts.holds("the pictures are identical", True) == "held"
    assert verdicts.holds("it is still the same server", False) == "MISSED"
    with pytest.raises(SystemExit) as ended:
        verdicts.end()
    assert ended.value.code == 1
