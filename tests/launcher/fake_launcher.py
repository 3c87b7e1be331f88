"""The real launcher with the small children of this folder instead of gradio and torch.

`python -m tests.launcher.fake_launcher [MODULE OF ANOTHER ENGINE] PORT DATA`
"""

import os
import sys
from pathlib import Path

from modules.cmd_args import Arguments
from modules.launcher.console import set_up_logging
from modules.launcher.failure import LaunchError
from modules.launcher.serve import Programs, serve


def main(port: str, data: str, engine: str = "tests.launcher.fake_engine") -> int:
    set_up_logging("INFO")
    programs = Programs(("-m", "tests.launcher.fake_server"), ("-m", engine))
    try:
        engines = os.environ.get("FAKE_ENGINES", "1").split()
        return serve(Arguments(port=int(port), data_dir=str(Path(data)), skip_install=True), programs, engines)
    except LaunchError as error:
        print(error, file=sys.stderr)
        return error.code


if __name__ == "__main__":
    *engine, port, data = sys.argv[1:]
    sys.exit(main(port, data, *engine))
