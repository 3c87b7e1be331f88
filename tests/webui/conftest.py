"""A store, a catalogue and settings of their own for the tests of the page's Python side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import ROOT, DataFolder
from webui import header, takeover
from webui.tabs.drawing import actions, script_plan, submitting
from webui.tabs.settings import applying, tab


def no_stop(*_asked: object) -> None:
    """Stand in for what stops jobs, where no test presses a button that does."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(tmp_path / "jobs.sqlite", DataFolder(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> CheckpointCatalogue:
    return CheckpointCatalogue((ROOT / "models",), hash_cache=tmp_path / "hashes.json")


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    """Settings in a folder of this test's own, in place of the program's."""
    own = Options(tmp_path / "settings.json")
    for module in (actions, applying, header, script_plan, submitting, tab, takeover):
        monkeypatch.setattr(module, "opts", own)
    return own
