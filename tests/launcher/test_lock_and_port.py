import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.lock import own_data_folder
from modules.launcher.port import address_of, bind, listen
from modules.launcher.processes import describe, holders_of_file, holders_of_port, is_alive
from tests.launcher.conftest import ROOT, eventually

HOLD = """
import os, sys, time
from pathlib import Path
from modules.launcher.lock import own_data_folder
descriptors = own_data_folder(Path(sys.argv[1]))
if sys.argv[2] == "child" and os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
sys.stdin.read()
"""

LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
"""


class Helper:
    """A process that says one number and stays until it is told to go."""

    def __init__(self, script: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *words], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.number = int(self.process.stdout.readline())

    def go(self) -> None:
        self.process.communicate(timeout=10)


def close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_new_folder_is_made_and_the_owner_writes_its_id(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    descriptors = own_data_folder(folder)
    assert (folder / "launcher.lock").read_text() == f"{os.getpid()}\n"
    close(descriptors)


def test_an_owner_is_named(tmp_path: Path) -> None:
    owner = Helper(HOLD, str(tmp_path), "launcher")
    with pytest.raises(LaunchError) as refused:
        own_data_folder(tmp_path, seconds_to_wait=0.15)
    assert refused.value.code == ExitCode.IN_USE
    assert str(refused.value).startswith("Another instance, ")
    assert f"(process {owner.number}), uses the data folder {tmp_path}: end it, or choose" in str(refused.value)
    owner.go()
    close(own_data_folder(tmp_path))


def test_a_deleted_lock_file_lets_nobody_else_in(tmp_path: Path) -> None:
    owner = Helper(HOLD, str(tmp_path), "launcher")
    (tmp_path / "launcher.lock").unlink()
    with pytest.raises(LaunchError, match=rf"\(process {owner.number}\), uses the data folder") as refused:
        own_data_folder(tmp_path, seconds_to_wait=0.15)
    assert refused.value.code == ExitCode.IN_USE
    owner.go()
    close(own_data_folder(tmp_path))


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", refuse)
        with pytest.raises(LaunchError, match=r"No space left to write .*: free some disk space, or") as refused:
            own_data_folder(tmp_path)
    assert refused.value.code == ExitCode.DATA_FOLDER
    close(own_data_folder(tmp_path))  # the locks were given back
    assert sorted(path.name for path in tmp_path.iterdir()) == ["launcher.lock", "outputs"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_data_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    new, old, foreign = tmp_path / "new", tmp_path / "old", tmp_path / "foreign"
    close(own_data_folder(new))
    for folder in (old, foreign):
        (folder / "outputs").mkdir(parents=True)
        for path in (folder, folder / "outputs"):
            path.chmod(0o755)
        (folder / "notes").touch(0o644)
    (old / "jobs.sqlite").touch(0o644)
    (old / "logs").mkdir(0o755)
    for folder in (old, foreign):
        close(own_data_folder(folder))
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        "new": 0o700,
        "new/launcher.lock": 0o600,
        "new/outputs": 0o700,
        "old": 0o700,
        "old/jobs.sqlite": 0o600,
        "old/launcher.lock": 0o600,
        "old/logs": 0o700,
        "old/notes": 0o600,
        "old/outputs": 0o755,  # out of reach, and as it was
        "foreign": 0o755,  # a folder with somebody's other things: only what is made in it is private
        "foreign/launcher.lock": 0o600,
        "foreign/notes": 0o644,
        "foreign/outputs": 0o755,
    }


def test_a_child_that_outlived_its_launcher_is_named(tmp_path: Path) -> None:
    child = Helper(HOLD, str(tmp_path), "child")
    eventually(lambda: not is_alive(child.process.pid) or child.process.poll() is not None)
    with pytest.raises(LaunchError, match=rf"A child of an earlier instance, .* \(process {child.number}\), uses"):
        own_data_folder(tmp_path, seconds_to_wait=0.15)
    child.go()


def test_it_waits_for_an_owner_that_is_about_to_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    owner = Helper(HOLD, str(tmp_path), "launcher")
    tries: list[float] = []

    def clock() -> float:
        tries.append(0)
        if len(tries) == 4:
            owner.go()
        return len(tries) * 0.1

    with caplog.at_level("INFO"):
        close(own_data_folder(tmp_path, seconds_to_wait=10, clock=clock))
    assert f"has the data folder {tmp_path}: waiting up to 10 s" in caplog.text


@pytest.mark.parametrize(
    ("kind", "words"),
    [("file", "A file stands where a folder is needed"), ("below a file", "A file stands where a folder is needed")],
)
def test_a_folder_that_cannot_be_one(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "data"
    path.write_text("not a folder")
    with pytest.raises(LaunchError, match=words) as refused:
        own_data_folder(path if kind == "file" else path / "deeper")
    assert refused.value.code == ExitCode.DATA_FOLDER


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may write everywhere")
def test_a_folder_of_someone_else(tmp_path: Path) -> None:
    """As root the launcher of this test gives its rights away first."""
    tmp_path.chmod(0o500)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom modules.launcher.lock import own_data_folder\n"
        "from modules.launcher.failure import LaunchError\n"
        "try:\n    own_data_folder(Path(sys.argv[1]))\nexcept LaunchError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    if os.geteuid() == 0:
        command = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tmp_path.chmod(0o700)
    assert f"Not allowed to use {tmp_path}/data" in done.stdout
    assert "--data-dir" in done.stdout


def test_a_bound_port_refuses_until_it_listens_and_then_lets_wait() -> None:
    listener = bind("127.0.0.1", 0)
    address = listener.getsockname()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=2)
    listen(listener)
    with socket.create_connection(address, timeout=2) as waiting:
        assert waiting.getpeername() == address
    assert address_of(listener) == f"http://127.0.0.1:{address[1]}"
    listener.close()


def test_an_open_address_is_shown_as_this_machines() -> None:
    with bind("0.0.0.0", 0) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_port_in_use_names_the_process() -> None:
    owner = Helper(LISTEN)
    with pytest.raises(LaunchError) as refused:
        bind("127.0.0.1", owner.number)
    owner.go()
    text = str(refused.value)
    assert refused.value.code == ExitCode.PORT
    assert text.startswith(f"Port {owner.number} is in use by ")
    assert (
        f"(process {owner.process.pid}): end it, or choose another one, for example --port {owner.number + 1}." in text
    )


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(LaunchError, match=r"Port 7860 of 192\.0\.2\.1 cannot be bound"):
        bind("192.0.2.1", 7860)


def test_processes_are_found_and_described(tmp_path: Path) -> None:
    helper = Helper(HOLD, str(tmp_path), "launcher")
    assert holders_of_file(tmp_path / "launcher.lock") == [helper.number]
    assert f"(process {helper.number})" in describe(helper.number)
    assert describe(helper.number).startswith(sys.executable)
    helper.go()
    assert holders_of_file(tmp_path / "launcher.lock") == []
    assert holders_of_port(1) == []
    assert describe(4_000_000) == "process 4000000"
    assert not is_alive(4_000_000)
