import signal
import sys
from collections.abc import Callable

import pytest

from modules.launcher.child import Child, Recipe, describe_exit
from modules.launcher.switchboard import Switchboard
from modules.shared_state import State
from tests.launcher.conftest import ROOT, eventually


def start(script: str, lines: list[bytes]) -> Child:
    recipe = Recipe("engine", (sys.executable, "-c", script), ROOT, {"PYTHONUNBUFFERED": "1"}, output=lines.append)
    return Child(recipe, Switchboard(State()), lambda child, name: None, {"EXTRA": "more"})


def test_output_is_passed_on_as_it_comes_and_the_last_40_lines_are_kept() -> None:
    lines: list[bytes] = []
    script = (
        "import os, sys\nfor n in range(60): print('line', n)\nprint('1%\\r50%\\r100%', file=sys.stderr)\nos.abort()"
    )
    child = start(script, lines)
    eventually(lambda: child.exit_code() is not None)
    reason, log = child.bury()
    assert reason == "killed by SIGABRT"
    assert log == [*(f"line {n}" for n in range(21, 60)), "100%"]
    assert lines[0] == b"line 0\n"
    assert lines[-1] == b"1%\r50%\r100%\n"


def ended(child: Child) -> Callable[[], bool]:
    return lambda: child.exit_code() is not None


def test_the_environment_is_the_recipes_with_an_instance_of_its_own() -> None:
    lines: list[bytes] = []
    script = "import os; print(*sorted(k for k in os.environ if k[0] in 'SEP'), os.environ['STEADY_INSTANCE'])"
    one, other = start(script, lines), start(script, lines)
    for child in (one, other):
        eventually(ended(child))
        assert child.bury()[0] == "exit code 0"
    words = [line.decode().split() for line in lines]
    assert words[0][:-1] == ["EXTRA", "PYTHONUNBUFFERED", "STEADY_INSTANCE", "STEADY_LINK_FD"]
    assert {words[0][-1], words[1][-1]} == {one.instance, other.instance}
    assert one.instance != other.instance


def test_ctrl_c_is_kept_from_a_child_from_its_first_moment() -> None:
    lines: list[bytes] = []
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('still here')"
    child = start(script, lines)
    eventually(lambda: child.exit_code() is not None)
    assert child.bury() == ("exit code 0", ["still here"])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_program_that_is_not_there() -> None:
    recipe = Recipe("engine", ("/nowhere/python",), ROOT, {})
    with pytest.raises(FileNotFoundError):
        Child(recipe, Switchboard(State()), lambda child, name: None, {})


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL"), (-64, "killed by SIGRTMAX")]
)
def test_ends_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_an_end_by_a_signal_without_name() -> None:
    assert describe_exit(-123) == "killed by signal 123"
