"""What the page's scripts and the server both know is the same."""

from __future__ import annotations

import json
import re
from typing import Any

from modules.api.jobs.routes import MOST_JOBS_LISTED
from modules.api.live.messages import MOST_QUEUED_IDS
from modules.jobs import rows
from modules.jobs.kinds.grid.prompt_lines import TEXT_LONGEST
from modules.paths import ROOT


def constants_of(script: str) -> dict[str, Any]:
    """Return what a script of the model exports."""
    source = (ROOT / "webui" / "assets" / "model" / script).read_text(encoding="utf-8")
    return {name: json.loads(value) for name, value in re.findall(r"export const (\w+) = (.*);", source)}


def test_the_scripts_have_the_groups_of_statuses_that_the_rows_have() -> None:
    groups = constants_of("statuses.js")
    assert {name: frozenset(values) for name, values in groups.items()} == {
        "UNFINISHED": rows.UNFINISHED, "TERMINAL": rows.TERMINAL, "FAILED": rows.FAILED, "RETRIED": rows.RETRIED,
    }  # fmt: skip
    assert groups["UNFINISHED"] + groups["TERMINAL"] == list(rows.STATUSES)


def test_the_scripts_have_the_limits_of_the_routes() -> None:
    assert constants_of("limits.js") == {
        "JOBS_LISTED": MOST_JOBS_LISTED, "QUEUED_TOLD": MOST_QUEUED_IDS, "PROMPTS_LONGEST": TEXT_LONGEST
    }  # fmt: skip


def test_no_other_script_names_a_group_of_statuses() -> None:
    group = re.compile(r"""["'](?:%s)["'],\s*["'](?:%s)["']""" % (("|".join(rows.STATUSES),) * 2))
    listed = re.compile(r"(?:%s),(?:%s)" % (("|".join(rows.STATUSES),) * 2))
    for path in sorted((ROOT / "webui" / "assets").rglob("*.js")):
        if path.name != "statuses.js":
            text = path.read_text(encoding="utf-8")
            assert not group.search(text) and not listed.search(text), path.name
