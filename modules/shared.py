"""The noticeboard of a process: what happens now, and the settings. Built at import, never reassigned."""

from __future__ import annotations

from modules.options import Options
from modules.paths import data_folder
from modules.shared_state import State

state = State()
opts = Options(data_folder().settings)
