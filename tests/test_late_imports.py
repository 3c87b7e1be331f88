"""What is imported late is whole for the first who asks, and for all who ask at the same moment."""

import subprocess
import sys

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
