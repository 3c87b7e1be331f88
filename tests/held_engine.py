"""An engine that waits at a step for as long as a test says: what happens then finds the job there on any machine.

`sitecustomize` in a folder that PYTHONPATH names is what Python imports first of all.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

VARIABLE = "HELD_ENGINE_FILE"  # the launcher hands on no STEADY_… but its own
SITECUSTOMIZE = """
import sys
if "modules.engine" in sys.orig_argv:
    from tests.held_engine import install
    install()
"""
_CANCEL = "modules.engine.stopping.cancel"


def install() -> None:
    """Have the cancel points of this process, an engine that begins, wait where the test says."""
    sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the module of the cancel points as everybody does, and changes it as soon as it is there."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != _CANCEL:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        loader: Any = spec.loader
        plain = loader.exec_module

        def exec_module(module: Any) -> None:
            plain(module)
            module.Cancel.check = _holding(module.Cancel.check, Path(os.environ[VARIABLE]))

        loader.exec_module = exec_module
        return spec


def _holding(plain: Any, file: Path) -> Any:
    """Return a check that is passed no more once the step is done: a block of the denoiser that takes very long.

    As any block it ends by an interrupt, a pause, a skip or the end of the engine.
    """

    def check(cancel: Any) -> None:
        plain(cancel)
        while _is_held(cancel._state, file) and not cancel._obeyed:
            time.sleep(0.01)
            plain(cancel)

    return check


def _is_held(state: Any, file: Path) -> bool:
    done = state.sampling_step
    if not done:
        return False
    try:
        asked = json.loads(file.read_text())
    except FileNotFoundError:
        return False
    reached = state.image_index >= asked["image"] and done >= asked["step"]
    return bool(reached and asked["steps"] in (None, state.sampling_steps))
