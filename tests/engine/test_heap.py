"""Memory that was freed: kept for the next picture."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from modules.engine.heap import keep_freed_memory
from modules.paths import ROOT

# Blocks as a decoder takes and frees them, on a thread as the engine's; prints what was done, and the page faults.
TAKE_AND_FREE = """
import resource, sys, threading
from modules.engine.heap import keep_freed_memory

def take():
    blocks = [bytearray(12 * 2**20) for _ in range(5)]
    for block in blocks:
        block[:: 4096] = bytes(len(block[:: 4096]))

def draw():
    for _ in range(3):
        take()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        take()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

print(int(keep_freed_memory()))
thread = threading.Thread(target=draw)
thread.start()
thread.join()
"""


def test_a_next_picture_takes_what_the_one_before_has_freed() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    told = subprocess.run(
        [sys.executable, "-c", TAKE_AND_FREE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    kept, faults = map(int, told)
    pages = 3 * 5 * 12 * 2**20 // 4096
    assert faults < pages // 20 if kept else sys.platform != "linux"


def test_who_has_chosen_otherwise_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert keep_freed_memory() is False
