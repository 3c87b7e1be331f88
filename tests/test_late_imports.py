"""What is imported late is whole for the first who asks, and for all who ask at the same moment."""

import importlib
import subprocess
import sys
from pathlib import Path

import gradio
import pytest

from modules.late_imports import Finder, leave_out
from modules.paths import ROOT

ASKED_BY_MANY = """
import sys
from concurrent.futures import ThreadPoolExecutor
from modules.late_imports import import_late
import_late("scipy.stats")
import scipy.stats
assert "scipy.stats._stats_py" not in sys.modules
assert not hasattr(scipy.stats, "__nothing__") and "scipy.stats._stats_py" not in sys.modules
with ThreadPoolExecutor(4) as threads:
    quantiles = set(threads.map(lambda _: float(scipy.stats.beta.ppf(0.5, 1, 3)), range(4)))
assert not hasattr(scipy.stats, "nothing")
print(round(quantiles.pop(), 6), quantiles)
"""


def test_a_module_that_is_imported_late_is_loaded_by_the_first_name_that_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED_BY_MANY], cwd=ROOT, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, f"{round(1 - 0.5 ** (1 / 3), 6)} set()"), done.stderr


def test_what_gradio_writes_for_editors_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a control: the module by itself does write."""
    written = tmp_path / "made.pyi"
    (tmp_path / "made.py").write_text("class Made:\n    EVENTS = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    # Without those of the application, where a test before has imported it in this process.
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if not isinstance(one, Finder)])
    monkeypatch.setattr(gradio, "component_meta", gradio.component_meta)
    for left_out in (False, True):
        if left_out:
            leave_out("gradio.component_meta", "create_or_modify_pyi")
        monkeypatch.delitem(sys.modules, "gradio.component_meta")
        meta = importlib.import_module("gradio.component_meta").ComponentMeta
        assert meta("Made", (), {"EVENTS": [], "__module__": importlib.import_module("made").__name__}).EVENTS == []
        assert written.exists() is not left_out
        written.unlink(missing_ok=True)
