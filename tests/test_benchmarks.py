"""The benchmarks run in the environment that README names: what `python3 launch.py` installs, without test tools."""

import re
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.test_architecture import ROOT, STANDARD_LIBRARY, imports_of, is_project_module

BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
# Not named in requirements.txt, and there because something that is needs it.
COMES_ALONG = {
    "numpy": "torch",
    "starlette": "fastapi",
    "anyio": "fastapi",
    "pydantic_core": "pydantic",
    "httpx": "gradio",
}


def listed(name: str) -> set[str]:
    """Return the distributions that a requirements file names itself."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {match[0].lower() for line in lines if (match := re.match(r"[A-Za-z0-9_-]+", line))}


def reached_from(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, what it imports from elsewhere) for a file and all of the project that it leads to."""
    waiting, seen = [path], set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in imports_of(file):
            if is_project_module(name):
                place = ROOT.joinpath(*name.split("."))
                waiting.append(place / "__init__.py" if place.is_dir() else place.with_suffix(".py"))
            elif name.split(".")[0] not in STANDARD_LIBRARY:
                yield file, name.split(".")[0]


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_needs_nothing_that_only_tests_need(benchmark: Path) -> None:
    installed, distributions = listed("requirements.txt"), packages_distributions()
    missing = {
        f"{file.relative_to(ROOT)}: {name}"
        for file, name in reached_from(benchmark)
        if name not in COMES_ALONG and not installed & {one.lower() for one in distributions.get(name, [])}
    }
    assert missing == set()


def test_what_comes_along_is_needed_by_what_is_listed() -> None:
    assert set(COMES_ALONG.values()) <= listed("requirements.txt")
