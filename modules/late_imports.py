"""What libraries do at their start and hardly anybody needs: modules loaded when something of them is asked for, calls
left out.

The server's pandas, which Gradio has for tables, takes a fifth of its start and 34 MB; the engine's scipy.stats, which
diffusers has for one schedule type, a tenth and 22 MB. For editors Gradio compares the source of each of its components
with a file of types beside it, and writes that anew: two fifths of the server's start.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def import_late(*names: str) -> None:
    """Have these modules, where they are not here yet, loaded late in this process."""
    sys.meta_path.insert(0, Finder(frozenset(names), _LateLoader))


def leave_out(module: str, function: str) -> None:
    """Have a function of a module, where that is not here yet, do nothing and return None in this process."""
    sys.meta_path.insert(0, Finder(frozenset((module,)), lambda own: _LoaderWithout(function, own)))


class Finder(MetaPathFinder):
    """Finds the modules as Python does, and has them loaded by a loader around their own."""

    def __init__(self, names: frozenset[str], around: Callable[[Loader], Loader]) -> None:
        self._names = names
        self._around = around

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = self._around(spec.loader)
        return spec


class _LoaderWithout(Loader):
    """Loads a module but for one function."""

    def __init__(self, function: str, own: Loader) -> None:
        self._function = function
        self._own = own

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        vars(module)[self._function] = lambda *_given, **_named: None


class _LateLoader(Loader):
    """Leaves a module empty until it is asked for a name.

    That of the standard library loads it for `__file__` too, which debuggers and torch ask every module for.
    """

    def __init__(self, own: Loader) -> None:
        self._own = own

    def exec_module(self, module: ModuleType) -> None:
        begun, lock = False, threading.RLock()

        def load(name: str) -> Any:
            nonlocal begun
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            with lock:  # whoever comes meanwhile waits; its own lines, amid it, find what there is by then
                if not begun:
                    begun = True
                    self._own.exec_module(module)
                    vars(module).pop("__getattr__", None)
                try:
                    return vars(module)[name]
                except KeyError:
                    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None

        module.__dict__["__getattr__"] = load
