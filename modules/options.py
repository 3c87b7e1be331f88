"""The settings as they are now, kept in `settings.json`.

The file holds what was chosen, so a default can change later; keys that this version does not know are kept in it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from modules.errors import InvalidRequest, StorageError
from modules.paths import locked, set_aside, write_atomically
from modules.settings import Settings, fields_of_settings
from modules.settings_file import read_settings, stamp_of

__all__ = ["Options", "Settings", "fields_of_settings"]


_FIELD_BY_NAME = {one.name: one for one in fields_of_settings()}


class Options:
    """The settings of a data folder, shared by several threads and processes.

    `values` is the snapshot to read; it changes with `update`, `refresh` and `load` only. `notices` holds what the user
    should be told about the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[str] = []
        self._lock = threading.RLock()
        self._values = Settings()
        self._stamp: tuple[int, int, int] | None = None
        self.load()

    @property
    def values(self) -> Settings:
        """The current settings, as one consistent snapshot."""
        return self._values

    def load(self) -> None:
        """Read the file. A corrupt one is set aside and told in `notices`; it never keeps the program from starting."""
        with self._lock:
            try:
                self._adopt(read_settings(self.path))
            except ValueError:
                self._set_aside_if_corrupt()
            except StorageError as error:
                self._tell(f"{error} The settings are the defaults until then.")

    def refresh(self) -> bool:
        """Read the file again if another process changed it; tell whether a setting changed."""
        with self._lock:
            before = self._values
            if stamp_of(self.path) != self._stamp:
                self.load()
            return self._values != before

    def update(self, changes: Mapping[str, object]) -> tuple[str, ...]:
        """Change settings, all or none, and return the names of those that are now different.

        Keys that are no settings are ignored.

        Raises:
            InvalidRequest: a value is not possible; nothing was changed.
            StorageError: the file cannot be written; nothing was changed.
        """
        checked: dict[str, Any] = {
            name: _FIELD_BY_NAME[name].check(value) for name, value in changes.items() if name in _FIELD_BY_NAME
        }
        with self._lock:
            with locked(self.path):
                try:
                    stored = read_settings(self.path)
                except ValueError:
                    self._set_aside()
                    stored = {}
                before = self._values_in(stored, tell=False)
                after = replace(before, **checked)
                changed = tuple(name for name in checked if getattr(before, name) != getattr(after, name))
                if changed:
                    stored.update({name: checked[name] for name in changed})
                    text = json.dumps(stored, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
                    write_atomically(self.path, text.encode(), sole_writer=True)
                self._adopt(stored)
            return changed

    def _adopt(self, stored: Mapping[str, object]) -> None:
        self._values = self._values_in(stored, tell=True)
        self._stamp = stamp_of(self.path)

    def _values_in(self, stored: Mapping[str, object], tell: bool) -> Settings:
        """Build the settings that a file holds; a value that is not possible gives way to the default."""
        values: dict[str, Any] = {}
        for one in fields_of_settings():
            if one.name not in stored:
                continue
            try:
                values[one.name] = one.check(stored[one.name])
            except InvalidRequest as error:
                if tell:
                    self._tell(f"{self.path.name}: {error} The default, {one.default!r}, is used until then.")
        return Settings(**values)

    def _set_aside_if_corrupt(self) -> None:
        """Under the file's lock, so that two processes that both saw it corrupt do not move a good new one away."""
        try:
            with locked(self.path):
                try:
                    self._adopt(read_settings(self.path))
                except ValueError:
                    self._set_aside()
                    self._adopt({})
        except StorageError as error:
            self._adopt({})
            self._tell(f"{self.path.name} is corrupt and cannot be moved: {error} The defaults are used.")

    def _set_aside(self) -> None:
        aside = set_aside(self.path)
        self._tell(f"{self.path.name} was corrupt and is now {aside.name}: all settings are back at their defaults.")

    def _tell(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)
