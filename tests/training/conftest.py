"""The scripts of training/ import each other by their bare names, as scripts do."""

from __future__ import annotations

import sys

from modules.paths import ROOT

sys.path.append(str(ROOT / "training"))
