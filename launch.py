"""Start Steady Diffusion: `python3 launch.py`, `python3 launch.py test`, `python3 launch.py doctor`.

This file has to be readable for Python 3.8, so that an old Python can say that a newer one is needed.
"""

import shutil
import sys

NEEDED = (3, 11)
EXIT_CODE_OLD_PYTHON = 3  # ExitCode.OLD_PYTHON, which an old Python cannot import


def explain_old_python() -> str:
    """Return one line: what is missing, and how to get it."""
    name = sys.executable or "python3"
    version = "%d.%d" % tuple(sys.version_info[:2])
    line = "Steady Diffusion needs Python 3.11 or newer; %s is %s. " % (name, version)
    newer = [name for name in ("python3.%d" % minor for minor in range(20, 10, -1)) if shutil.which(name)]
    if newer:
        return line + "Use the newer one that you have: %s launch.py" % newer[0]
    return line + "Install it (Debian, Ubuntu: sudo apt install python3.11 python3.11-venv), then: python3.11 launch.py"


if __name__ == "__main__":
    if sys.version_info < NEEDED:
        sys.stderr.write(explain_old_python() + "\n")
        sys.exit(EXIT_CODE_OLD_PYTHON)
    from modules.launcher.main import main

    sys.exit(main(sys.argv[1:]))
