"""A benchmark that misses a budget fails, and leaves its figures as rows."""

import json
from pathlib import Path

import pytest

from benchmarks.verdict import ROWS_VARIABLE, Verdicts
from tests.test_architecture import ROOT, imports_of


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


def test_benchmarks_run_with_what_the_program_itself_needs() -> None:
    """README starts them with the environment that `launch.py` makes; only that of the editor drives a browser."""
    of_tests = {"hypothesis", "httpx", "playwright", "pytest", "schemathesis"}
    lacking: dict[str, set[str]] = {}
    read: set[Path] = set()
    waiting = sorted((ROOT / "benchmarks").glob("*.py"))
    while waiting:
        read.add(path := waiting.pop())
        names = imports_of(path)
        if needed := {name.split(".")[0] for name in names} & of_tests:
            lacking[str(path.relative_to(ROOT))] = needed
        files = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("tests.")}
        waiting += [file for file in files - read if file.is_file()]
    assert lacking == {"benchmarks/editor.py": {"playwright"}}
