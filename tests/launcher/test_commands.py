"""`launch.py` itself, `doctor`, and what `test` needs before it can start."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from modules.cmd_args import Arguments
from modules.launcher import browser, check, doctor
from modules.launcher import main as launcher_main
from modules.launcher.bootstrap import Environment
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.main import main
from modules.launcher.serve import child_environment
from modules.paths import DataFolder
from tests.launcher.conftest import ROOT
from tests.program import free_port

# Runs launch.py as if this Python were an older one.
AS_OLD_PYTHON = """
import runpy, sys
sys.version_info = (3, 8, 10, "final", 0)
sys.path.insert(0, ".")
runpy.run_path("launch.py", run_name="__main__")
"""


@pytest.mark.parametrize("path", ["/nowhere", None], ids=["no newer one", "as it is"])
def test_an_old_python_is_told_what_to_do(path: str | None) -> None:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    done = subprocess.run(
        [sys.executable, "-c", AS_OLD_PYTHON], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.OLD_PYTHON
    assert "Steady Diffusion needs Python 3.11 or newer; " in done.stderr and " is 3.8. " in done.stderr
    assert done.stderr.count("\n") == 1
    if path:
        assert done.stderr.endswith("sudo apt install python3.11 python3.11-venv), then: python3.11 launch.py\n")


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in ("--port", "--listen", "--data-dir", "--models-dir", "--autolaunch", "--loglevel", "--skip-install"):
        assert option in text
    assert "serve | test | doctor" in text


def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_main, "set_up_logging", lambda level: None)  # it is this process's own
    (tmp_path / "file").touch()
    assert main(["--skip-install", "--port", "0", "--data-dir", str(tmp_path / "file")]) == ExitCode.DATA_FOLDER
    error = capsys.readouterr().err
    assert error.startswith("Steady Diffusion cannot start: A file stands where a folder is needed")
    assert error.count("\n") == 1


def test_children_are_told_where_things_are_and_nothing_leaves_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADY_LAST_DEATH", "of another launcher")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    arguments = Arguments(models_dir=("/a", "b"), vae_dir=("v",), port=5)
    environment = child_environment(arguments, DataFolder(tmp_path))
    assert environment["STEADY_DATA_DIR"] == str(tmp_path)
    assert environment["STEADY_MODELS_DIRS"] == f"/a{os.pathsep}{Path('b').absolute()}"
    assert json.loads(environment["STEADY_MODEL_PLACES"]) == {"vae": [str(Path("v").absolute())]}
    assert environment["STEADY_ARGS"] == arguments.to_json()
    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert environment["HF_HUB_OFFLINE"] == "0", "the user asked for downloads"
    assert "STEADY_LAST_DEATH" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment, "no start compiles what an earlier one did"


def test_doctor_has_a_line_for_each_thing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert doctor.examine(Arguments(port=port, data_dir=str(tmp_path / "new"))) == ExitCode.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [
        "Python", "venv", "memory", "disk", "devices", "data", "port", "browser"
    ]  # fmt: skip
    assert lines[6].startswith(f"FIX  port     {port}: Port {port} is in use: end it, or ")
    assert lines[5] == f"ok   data     {tmp_path / 'new'}"
    assert not (tmp_path / "new").exists(), "doctor changes nothing"


def test_doctor_finds_nothing_wrong_with_a_machine_that_only_lacks_what_tests_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"_packages": doctor.Finding("venv", "whole"), "_memory": doctor.Finding("memory", "8 GB"),
                        "_disk": doctor.Finding("disk", "9 GB")}.items():  # fmt: skip
        monkeypatch.setattr(doctor, name, lambda *_given, value=value: value)
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    healthy = Arguments(port=free_port(), data_dir=str(tmp_path))
    assert doctor.examine(healthy) == ExitCode.OK
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == f"note browser  no Chromium, which only the tests need: {browser.REMEDY}"
    monkeypatch.setattr(doctor, "_memory", lambda: doctor.Finding("memory", "1 GB", "end other programs"))
    assert doctor.examine(healthy) == ExitCode.FAILED


def test_a_chromium_is_found_by_name_or_by_variable(tmp_path: Path) -> None:
    for name in ("google-chrome", "mine", "chromium", "chromium-headless-shell"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert name == "mine" or browser.find_chromium({"PATH": str(tmp_path)}) == str(tmp_path / name)
    named = {"PATH": str(tmp_path), "STEADY_CHROMIUM": str(tmp_path / "mine")}
    assert browser.find_chromium(named) == str(tmp_path / "mine")
    assert browser.find_chromium({"PATH": "/nowhere"}) is None
    assert browser.find_chromium({"PATH": str(tmp_path), "STEADY_CHROMIUM": "/nowhere/chromium"}) is None


def test_the_lightest_chromium_there_is_a_package_of_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.delenv(browser.ENVIRONMENT_VARIABLE, raising=False)  # `launch.py test` names one to its tests
    apt = tmp_path / "apt-get"
    for known in ("chromium-headless-shell", "chromium"):
        folder = tmp_path / known
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}:{tmp_path}:/usr/bin:/bin")
        apt.write_text(f"#!/bin/sh\n[ $1 = update ] || {{ [ $3 = {known} ] && cp $0 {folder}/$3; }}\n")
        apt.chmod(0o755)
        monkeypatch.setattr(browser, "_NAMES", (known,))
        assert browser.install_chromium() == str(folder / known)


def test_the_tests_do_not_run_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(browser, "install_chromium", lambda: None)
    with pytest.raises(LaunchError, match=r"none was found: install one \(Debian: sudo apt install"):
        check.check(Arguments(command="test", skip_install=True))


def test_linters_and_tests_tell_in_order_and_one_failure_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\necho "$@ in $(basename $STEADY_CHROMIUM)$PYTHONDONTWRITEBYTECODE"\n[ "$2 $3" != "ruff format" ]\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(Environment, "python", lambda self, skip, requirements: python)
    monkeypatch.setattr(browser, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", ", compiled anew by each process")
    arguments = Arguments(command="test", rest=("-k", "one two"))
    assert check.check(arguments) == ExitCode.FAILED
    lines = capfd.readouterr().out.splitlines()
    linters = ("ruff check .", "ruff format --check .", "mypy", "tests.javascript.check")
    assert lines == [
        *[line for name in linters for line in (name, f"-m {name} in chromium")],
        "ruff format --check . failed: see above. The tests run all the same; the exit code will be 1.",
        "-m pytest -n 3 --dist loadfile --no-loadscope-reorder -k one two in chromium",
    ]
