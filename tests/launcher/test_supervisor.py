"""The launcher as a process, with small children, over real sockets and signals."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modules.launcher.exit_codes import ExitCode
from tests.launcher.conftest import ROOT, Launcher, alive, eventually


def test_a_restart_fails_no_request_and_keeps_the_engine(launcher: Launcher) -> None:
    launcher.start()
    before = launcher.ask()
    failed: list[str] = []
    seen: list[int] = []
    done = threading.Event()

    def hammer() -> None:
        while not done.is_set():
            try:
                seen.append(launcher.ask()["pid"])
            except (OSError, ValueError) as error:
                failed.append(repr(error))

    launcher.behave("server", "slow")
    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    launcher.ask("command restart")
    launcher.ask("command restart")
    eventually(lambda: seen and seen[-1] != before["pid"])
    eventually(lambda: launcher.supervisor()["swap"] == {"status": "idle", "reason": None, "number": 1})
    eventually(lambda: not alive(before["pid"]))
    done.set()
    for thread in threads:
        thread.join()
    after = launcher.ask()
    assert failed == []
    assert set(seen) == {before["pid"], after["pid"]}, "the second restart was the same restart"
    assert after["topics"]["engine"] == before["topics"]["engine"]
    assert after["instance"] != before["instance"]
    assert after["state"] == before["state"]
    assert launcher.supervisor()["server"]["status"] == "up"
    eventually(lambda: launcher.line("The old server has given its last answers and ended (exit code 0)"))


def test_a_new_server_that_fails_leaves_the_old_one_and_says_why(launcher: Launcher) -> None:
    launcher.start()
    before = launcher.ask()["pid"]
    launcher.behave("server", "crash")
    launcher.ask("command restart")
    eventually(lambda: launcher.supervisor()["swap"]["status"] == "failed")
    report = launcher.supervisor()
    assert report["swap"] == {
        "status": "failed", "number": 1,
        "reason": "The new server failed: exit code 3. Traceback: the new code is broken",
    }  # fmt: skip
    assert report["server"]["status"] == "up"
    assert launcher.ask()["pid"] == before
    launcher.behave("server", "")
    launcher.ask("command restart")
    eventually(lambda: launcher.ask()["pid"] != before)
    eventually(lambda: launcher.supervisor()["swap"] == {"status": "idle", "reason": None, "number": 2})


def test_an_old_server_that_does_not_stop_accepting_is_killed(launcher: Launcher) -> None:
    launcher.behave("server", "never stops")
    launcher.start()
    before = launcher.ask()["pid"]
    launcher.behave("server", "")
    launcher.ask("command restart")
    eventually(lambda: launcher.ask()["pid"] != before)
    assert not alive(before)


def test_a_server_that_dies_comes_again_and_those_who_ask_meanwhile_wait(launcher: Launcher) -> None:
    launcher.start()
    before = launcher.ask()["pid"]
    os.kill(before, signal.SIGKILL)
    after = launcher.ask()
    assert after["pid"] != before
    assert launcher.supervisor()["server"]["reason"] == "killed by SIGKILL"


def test_an_engine_that_dies_comes_again_and_is_told_how_its_predecessor_ended(launcher: Launcher) -> None:
    launcher.start()
    first = launcher.ask()["topics"]["engine"]
    assert first["last_death"] is None
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: not launcher.ask()["state"]["running"])
    assert eventually(lambda: launcher.supervisor()["engine"]["status"] == "restarting")
    engine = launcher.supervisor()["engine"]
    assert (engine["reason"], engine["retry_in"], engine["deaths"]) == ("killed by SIGKILL", 1.0, 1)
    second = eventually(lambda: (now := launcher.ask()["topics"]["engine"])["pid"] != first["pid"] and now)
    assert second["last_death"] == {"ordered": False, "reason": "killed by SIGKILL", "log": ["the engine is there"]}
    assert second["preview"] == first["preview"] + 1, "preview ids go on"


@pytest.mark.parametrize("how", ["", "deaf"])
def test_an_ordered_restart_of_the_engine_is_no_death(launcher: Launcher, how: str) -> None:
    launcher.behave("engine", how)
    launcher.start()
    first = launcher.ask()["topics"]["engine"]
    launcher.behave("engine", "")
    launcher.ask("command restart-engine")
    second = eventually(lambda: (now := launcher.ask()["topics"]["engine"])["pid"] != first["pid"] and now)
    assert second["last_death"]["ordered"] is True
    assert second["last_death"]["reason"] == ("killed by SIGKILL" if how else "killed by SIGTERM")
    eventually(lambda: launcher.supervisor()["engine"]["status"] == "up")
    assert launcher.supervisor()["engine"]["deaths"] == 0


def test_an_unknown_command_is_reported_and_nothing_else(launcher: Launcher) -> None:
    launcher.start()
    before = launcher.ask()["pid"]
    launcher.ask("command dance")
    eventually(lambda: launcher.line("Unknown server command: dance"))
    assert launcher.ask()["pid"] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_signal_ends_everything_with_exit_code_0(launcher: Launcher, number: signal.Signals) -> None:
    launcher.start()
    assert len(launcher.children()) == 2
    if number == signal.SIGINT:
        assert launcher.process is not None
        os.killpg(launcher.process.pid, signal.SIGINT)  # the terminal sends it to the children too
        assert launcher.process.wait(10) == 0
    else:
        assert launcher.stop(number) == 0
    assert launcher.children() == []


def test_stop_ends_children_that_ignore_it(launcher: Launcher) -> None:
    launcher.behave("server", "deaf")
    launcher.behave("engine", "deaf")
    launcher.start()
    launcher.ask("command stop")
    assert launcher.process is not None
    assert launcher.process.wait(10) == ExitCode.OK
    assert launcher.children() == []


def test_after_kill_9_of_the_launcher_the_children_end_and_the_next_one_waits_for_them(launcher: Launcher) -> None:
    launcher.start()
    assert launcher.process is not None
    children = launcher.children()
    launcher.process.kill()
    launcher.process.wait()
    launcher.start()
    assert not any(alive(pid) for pid in children)
    assert launcher.stop() == 0


def test_a_second_launcher_on_the_same_data_folder_names_the_first(launcher: Launcher, tmp_path: Path) -> None:
    launcher.start()
    assert launcher.process is not None
    script = (
        "import sys\nfrom pathlib import Path\nfrom modules.launcher.lock import own_data_folder\n"
        "from modules.launcher.failure import LaunchError\n"
        "try:\n    own_data_folder(Path(sys.argv[1]), seconds_to_wait=0.2)\n"
        "except LaunchError as error:\n    print(error)\n    sys.exit(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(launcher.data)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.IN_USE
    assert f"(process {launcher.process.pid}), uses the data folder {launcher.data}: end it, or choose" in done.stdout


def test_a_port_in_use_is_told_with_its_owner(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        launcher.port = other.getsockname()[1]
        launcher.start(wait=False)
        assert launcher.process is not None
        assert launcher.process.wait(10) == ExitCode.PORT
        text = launcher.text()
    assert f"Port {launcher.port} is in use" in text
    assert "Traceback" not in text


def test_a_server_that_cannot_start_is_given_up_with_its_own_exit_code(launcher: Launcher) -> None:
    """Five quick deaths: the waits of 1, 2, 4 and 8 s are shortened in the launcher of this test alone."""
    launcher.behave("server", "crash")
    script = (
        "import sys\nfrom modules.launcher import backoff\n"
        "backoff.Backoff.died, slow = lambda self, lived: (w := slow(self, lived)) and w / 50, backoff.Backoff.died\n"
        "from tests.launcher.fake_launcher import main\nsys.exit(main('0', sys.argv[1]))\n"
    )
    environment = {**os.environ, "FAKE_SERVER": str(launcher.folder / "server")}
    done = subprocess.run(
        [sys.executable, "-c", script, str(launcher.data)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.SERVER_GIVEN_UP
    assert "The server died 5 times in a row and is not started again: exit code 3. Its last lines:" in done.stdout
    assert "    Traceback: the new code is broken" in done.stdout
