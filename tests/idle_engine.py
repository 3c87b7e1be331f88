"""An engine that draws nothing: it takes its place and waits for its end, without the seconds of importing torch.

For tests of what server and launcher do. `sitecustomize` in a folder that PYTHONPATH names is what Python imports
first of all.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec
from typing import Any

SITECUSTOMIZE = """
import sys
if "modules.engine" in sys.orig_argv:
    from tests.idle_engine import install
    install()
"""
_ASSEMBLY = "modules.engine.assembly"


def install() -> None:
    """Have this file in the place of all that draws, in an engine that begins."""
    sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(fullname, __file__) if fullname == _ASSEMBLY else None


def serve(_link: Any, store: Any, leaving: threading.Event, *_more: Any) -> None:
    """Wait until `leaving` is set."""
    while not leaving.wait(0.5):  # with a timeout, so that signal handlers get their turn
        pass
    store.close()
