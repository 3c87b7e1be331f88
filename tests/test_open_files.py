"""As many files may be open as the system allows."""

import subprocess
import sys

import pytest

from tests.program import ROOT

CODE = """
import resource
from modules.open_files import raise_open_files_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(raise_open_files_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "expected"), [(256, 2000, 2000), (1024, 1024, 1024), (1024, 4096, 4096)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int, expected: int) -> None:
    code = CODE.format(soft=soft, hard=hard)
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.split() == [str(expected), str(expected), str(hard)]
