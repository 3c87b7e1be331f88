"""How long after `python3 launch.py --skip-install` the first page is there, against `import gradio` alone.

`python -m benchmarks.first_page [rounds]`; budget: import gradio + 0.5 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.verdict import Verdicts
from tests.program import ROOT, Program

BUDGET_SECONDS = 0.5


def import_gradio() -> float:
    """Return the seconds of a Python process that imports gradio and ends."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import gradio"], cwd=ROOT, check=True)
    return time.monotonic() - began


def first_page(folder: Path) -> float:
    """Return the seconds from the start of the launcher to the page's last byte."""
    program = Program(folder)
    began = time.monotonic()
    program.start(wait=False)
    try:
        while True:
            try:
                with urllib.request.urlopen(program.url, timeout=60) as answer:
                    answer.read()
                return time.monotonic() - began
            except urllib.error.URLError:
                time.sleep(0.01)
    finally:
        program.stop()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    verdicts = Verdicts()
    imports, pages = [], []
    import_gradio()  # what is read from the disk for the first time counts for neither
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            imports.append(import_gradio())
            pages.append(first_page(Path(folder) / str(number)))
            print(f"round {number + 1}: import gradio {imports[-1]:.2f} s, first page {pages[-1]:.2f} s", flush=True)
    extra = statistics.median(page - alone for page, alone in zip(pages, imports, strict=True))
    held = verdicts.at_most("first page − import gradio", extra, BUDGET_SECONDS, "s")
    print(f"first page = import gradio {extra:+.2f} s, median of {rounds}, {held}")
    verdicts.end()


if __name__ == "__main__":
    main()
