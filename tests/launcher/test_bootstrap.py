"""A real virtual environment, with a pip that only writes down what it was asked for."""

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modules.launcher import bootstrap
from modules.launcher.bootstrap import Environment, check_venv_module, torch_command
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.pip import explain_failure, run_shown
from tests.launcher.conftest import ROOT, eventually

FAKE_PIP = """
import os, pathlib, sys
log = pathlib.Path(os.environ["FAKE_PIP_LOG"])
with log.open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if os.environ.get("FAKE_PIP_FAILS"):
    print(os.environ["FAKE_PIP_FAILS"], file=sys.stderr)
    sys.exit(1)
if os.environ.get("FAKE_PIP_HANGS"):
    import time
    time.sleep(60)
"""


class Project:
    """A folder with requirements, whose environment has the fake pip."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        self.log = root / "pip.log"
        monkeypatch.setenv("FAKE_PIP_LOG", str(self.log))
        for name in ("TORCH_COMMAND", "TORCH_INDEX_URL", "FAKE_PIP_FAILS"):
            monkeypatch.delenv(name, raising=False)
        (root / "requirements.txt").write_text("# what it needs\ntorch>=2.9\ntorch-fidelity\ngradio\n")
        (root / "requirements-dev.txt").write_text("-r requirements.txt\npytest\n")
        (root / "fakes").mkdir()
        (root / "fakes" / "pip.py").write_text(FAKE_PIP)
        monkeypatch.setenv("PYTHONPATH", str(root / "fakes"))
        # Without pip of its own: it would take seconds, and the fake one stands in for it.
        made = bootstrap.Environment._run

        def run(environment: Environment, command: list[str]) -> None:
            made(environment, [*command[:3], "--without-pip", *command[3:]] if "venv" in command else command)

        monkeypatch.setattr(bootstrap.Environment, "_run", run)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def test_the_first_start_installs_torch_first_and_the_second_nothing(project: Project) -> None:
    python = Environment(project.root).python()
    assert subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True).stdout == (
        f"{project.root / '.venv'}\n"
    )
    requirements = project.root / "requirements.txt"
    assert project.calls() == ["install torch>=2.9", f"install -r {requirements}"]
    assert Environment(project.root).python() == python
    assert len(project.calls()) == 2


def test_changed_requirements_are_installed_again(project: Project) -> None:
    Environment(project.root).python()
    with (project.root / "requirements.txt").open("a") as file:
        file.write("lark\n")
    assert not Environment(project.root).is_complete("requirements.txt")
    Environment(project.root).python()
    assert len(project.calls()) == 4


def test_packages_come_in_the_versions_that_were_tested_unless_the_newest_are_asked_for(project: Project) -> None:
    Environment(project.root).python()
    tested, requirements = project.root / "constraints.txt", project.root / "requirements.txt"
    tested.write_text("gradio==6.20\n")
    assert not Environment(project.root).is_complete("requirements.txt")
    Environment(project.root).python()
    assert project.calls()[-1] == f"install -r {requirements} -c {tested}"
    assert Environment(project.root).is_complete("requirements.txt")
    tested.write_text("gradio==6.21\n")
    Environment(project.root).python()
    assert project.calls()[-1] == f"install -r {requirements} -c {tested}"
    Environment(project.root, newest=True).python()
    assert project.calls()[-2:] == [f"install -r {requirements}", "install --upgrade torch-fidelity gradio"]
    assert Environment(project.root, newest=True).is_complete("requirements.txt")


def test_the_tests_requirements_have_a_hash_of_their_own_that_counts_the_included_file(project: Project) -> None:
    environment = Environment(project.root)
    environment.python(requirements="requirements-dev.txt")
    assert environment.is_complete("requirements-dev.txt")
    assert project.calls()[-1] == f"install -r {project.root / 'requirements-dev.txt'}"
    with (project.root / "requirements.txt").open("a") as file:
        file.write("lark\n")
    assert not environment.is_complete("requirements-dev.txt")


def test_torch_that_is_there_is_left_alone(project: Project) -> None:
    Environment(project.root).python()
    (next((project.root / ".venv" / "lib").glob("python*")) / "site-packages" / "torch").mkdir()
    (next((project.root / ".venv" / "lib").glob("python*")) / "site-packages" / "torch" / "__init__.py").touch()
    (project.root / "requirements.txt").write_text("torch\n")
    Environment(project.root).python()
    assert len(project.calls()) == 3


@pytest.mark.parametrize(
    ("variables", "sources"),
    [
        ({}, ""),
        ({"TORCH_INDEX_URL": "https://i"}, " --extra-index-url https://i"),
        ({"TORCH_COMMAND": "pip install torch==2.13.0 --index-url https://rocm"}, " --index-url https://rocm"),
    ],
)
def test_torchvision_comes_from_where_torch_is_from_and_leaves_it_as_it_is(
    project: Project, variables: dict[str, str], sources: str
) -> None:
    for name, value in variables.items():
        project.monkeypatch.setenv(name, value)
    (project.root / "requirements.txt").write_text("torch>=2.9\ntorchvision>=0.24  # for spandrel\nspandrel\n")
    environment = Environment(project.root)
    environment._make()
    packages = next((environment.folder / "lib").glob("python*")) / "site-packages"
    (packages / "torch").mkdir()
    (packages / "torch" / "__init__.py").touch()
    (packages / "torch-2.13.0+cpu.dist-info").mkdir()
    environment.python()
    assert project.calls()[0] == f"install torch==2.13.0+cpu torchvision>=0.24{sources}"
    assert len(project.calls()) == 2


def test_the_newest_packages_leave_torch_and_torchvision_alone(project: Project) -> None:
    (project.root / "requirements.txt").write_text("torch>=2.9\ntorchvision>=0.24\nspandrel\n")
    Environment(project.root, newest=True).python()
    assert project.calls()[0] == "install torch>=2.9 torchvision>=0.24"
    assert project.calls()[-1] == "install --upgrade spandrel"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, ["pip", "install", "torch>=2.9", "torchvision"]),
        (
            {"TORCH_INDEX_URL": "https://i"},
            ["pip", "install", "torch>=2.9", "torchvision", "--extra-index-url", "https://i"],
        ),
        (
            {"TORCH_COMMAND": "pip install 'torch==2.9' --pre", "TORCH_INDEX_URL": "x"},
            ["pip", "install", "torch==2.9", "--pre"],
        ),
    ],
)
def test_torch_is_installed_as_a1111s_users_say(variables: dict[str, str], words: list[str]) -> None:
    assert torch_command(variables, ["torch>=2.9", "torchvision"]) == words


def test_an_installation_that_was_killed_is_taken_up_again(project: Project) -> None:
    project.monkeypatch.setenv("FAKE_PIP_HANGS", "1")
    script = (
        "import sys\nfrom pathlib import Path\nfrom modules.launcher.bootstrap import Environment\n"
        "Environment(Path(sys.argv[1])).python()"
    )
    Environment(project.root)._make()
    environment = {**os.environ, "PYTHONPATH": f"{project.root / 'fakes'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", script, str(project.root)]
    installing = subprocess.Popen(command, env=environment, start_new_session=True)
    eventually(lambda: project.calls())
    assert not Environment(project.root).is_complete("requirements.txt")
    os.killpg(installing.pid, 9)
    installing.wait()
    project.monkeypatch.delenv("FAKE_PIP_HANGS")
    Environment(project.root).python()
    assert Environment(project.root).is_complete("requirements.txt")


def test_a_second_instance_waits_for_the_installation_of_the_first(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    folder = project.root / ".venv"
    folder.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c",
         "import sys, os, time\nfrom modules.launcher.lock import try_lock\n"
         "descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\ntry_lock(descriptor)\n"
         "print('locked', flush=True)\nsys.stdin.read()", str(folder / "installing.lock")],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    second = threading.Thread(target=Environment(project.root).python)
    with caplog.at_level(logging.INFO):
        second.start()
        eventually(lambda: "Another instance installs into" in caplog.text)
        assert not Environment(project.root).is_complete("requirements.txt")
        holder.communicate()  # ends its input, and so itself
        second.join(60)
    assert Environment(project.root).is_complete("requirements.txt")


def test_a_dangling_or_old_environment_is_made_anew(project: Project) -> None:
    environment = Environment(project.root)
    environment.python()
    environment.interpreter.unlink()
    environment.interpreter.symlink_to("/nowhere/python3")
    assert not environment.is_usable() and not environment.is_complete("requirements.txt")
    environment.python()
    assert environment.is_usable()
    configuration = environment.folder / "pyvenv.cfg"
    configuration.write_text(configuration.read_text().replace("version = 3.", "version = 2."))
    assert not environment.is_usable()


def test_skip_install_takes_what_is_there(project: Project) -> None:
    environment = Environment(project.root)
    assert environment.python(skip_install=True) == Path(sys.executable)
    environment._make()
    assert environment.python(skip_install=True) == environment.interpreter
    assert project.calls() == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", "no disk space left"),
        ("WARNING: Retrying ... NewConnectionError('...: Failed to establish a new connection')", "check the network"),
        ("ReadTimeoutError: HTTPSConnectionPool", "check the network"),
        ("ERROR: No matching distribution found for torch>=99", r"\(ERROR: No matching distribution found for torch"),
    ],
)
def test_a_failing_pip_is_one_line_with_the_remedy(project: Project, said: str, words: str) -> None:
    project.monkeypatch.setenv("FAKE_PIP_FAILS", said)
    with pytest.raises(LaunchError, match=words) as failed:
        Environment(project.root).python()
    assert failed.value.code == ExitCode.INSTALL
    assert "\n" not in str(failed.value)
    assert not Environment(project.root).is_complete("requirements.txt")


def test_a_python_without_ensurepip_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(
        LaunchError, match=rf"sudo apt install python3\.{sys.version_info.minor}-venv \(or python3-venv\)"
    ):
        check_venv_module()


def test_what_venv_itself_says_about_it_is_understood(tmp_path: Path) -> None:
    error = explain_failure(["The virtual environment was not created because ensurepip is not available."], tmp_path)
    assert "sudo apt install python3." in str(error)


def test_errors_are_shown_and_kept_and_the_rest_goes_to_the_console(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "import sys; print('progress'); print('wrong', file=sys.stderr); sys.exit(4)"
    assert run_shown([sys.executable, "-c", script], tmp_path) == (4, ["wrong"])
    assert capfd.readouterr() == ("progress\n", "wrong\n")
