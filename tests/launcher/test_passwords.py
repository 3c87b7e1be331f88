"""What the launcher does with the flags for passwords before it starts anything."""

import logging
from pathlib import Path

import pytest

from modules.cmd_args import parse
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.serve import OPEN_TO_ALL, passwords_of, serve


def test_all_four_flags_are_one_list(tmp_path: Path) -> None:
    for name in ("ben", "cleo"):
        (tmp_path / name).write_text(f"{name}:egg\n")
    files = ["--api-auth-path", str(tmp_path / "ben"), "--gradio-auth-path", str(tmp_path / "cleo")]
    arguments = parse(["--api-auth", "anna:a:b", "--gradio-auth", "anna:a:b,dora:x", *files])
    assert passwords_of(arguments) == {"anna": "a:b", "ben": "egg", "cleo": "egg", "dora": "x"}
    assert passwords_of(parse([])) == {}


@pytest.mark.parametrize("flags", [["--api-auth", ""], ["--gradio-auth", " , "], ["--api-auth-path", "empty"]])
def test_a_door_that_was_to_be_locked_does_not_stand_open(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").write_text("\n\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LaunchError, match="names nobody") as refusal:
        passwords_of(parse(flags))
    assert refusal.value.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("flags", "warned"),
    [(["--listen"], True), (["--listen", "--api-auth", "anna:gull"], False), ([], False)],
)
def test_the_console_says_that_all_of_the_network_may_come_in(
    flags: list[str], warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING), pytest.raises(LaunchError):
        serve(parse([*flags, "--data-dir", str(tmp_path / "file"), "--port", "0"]))
    assert (OPEN_TO_ALL in caplog.messages) is warned
    assert "gull" not in caplog.text
