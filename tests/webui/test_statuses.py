"""The page's scripts know the statuses of a job as the server does."""

from __future__ import annotations

import json
import re

from modules.jobs import rows
from modules.paths import ROOT


def test_the_scripts_have_the_groups_of_statuses_that_the_rows_have() -> None:
    source = (ROOT / "webui" / "assets" / "model" / "statuses.js").read_text(encoding="utf-8")
    groups = {name: json.loads(values) for name, values in re.findall(r"export const (\w+) = (\[.*\]);", source)}
    assert {name: frozenset(values) for name, values in groups.items()} == {
        "UNFINISHED": rows.UNFINISHED, "TERMINAL": rows.TERMINAL, "FAILED": rows.FAILED, "RETRIED": rows.RETRIED,
    }  # fmt: skip
    assert groups["UNFINISHED"] + groups["TERMINAL"] == list(rows.STATUSES)


def test_no_other_script_names_a_group_of_statuses() -> None:
    group = re.compile(r"""["'](?:%s)["'],\s*["'](?:%s)["']""" % (("|".join(rows.STATUSES),) * 2))
    listed = re.compile(r"(?:%s),(?:%s)" % (("|".join(rows.STATUSES),) * 2))
    for path in sorted((ROOT / "webui" / "assets").rglob("*.js")):
        if path.name != "statuses.js":
            text = path.read_text(encoding="utf-8")
            assert not group.search(text) and not listed.search(text), path.name
