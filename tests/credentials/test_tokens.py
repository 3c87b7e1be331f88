"""Tokens for programs, and the list of secrets that they are kept in."""

import stat
from pathlib import Path

import pytest

from modules.cmd_args import parse
from modules.credentials.secret_list import SecretList
from modules.credentials.tokens import Token, Tokens
from modules.errors import InvalidRequest
from modules.launcher.failure import LaunchError
from modules.launcher.token_command import tokens


def test_a_token_is_told_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    known = Tokens(tmp_path / "auth", lambda: 5.0)
    secret = known.create("phone")
    file = tmp_path / "auth" / "tokens.json"
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert known.name_of(secret) == "phone"
    assert known.name_of(secret[:-1]) is None and known.name_of("") is None
    assert known.all() == [Token("phone", 5.0)]


def test_what_another_process_does_counts_at_once(tmp_path: Path) -> None:
    ours, theirs = Tokens(tmp_path / "auth"), Tokens(tmp_path / "auth")
    assert ours.all() == []
    secret = theirs.create("phone")
    assert ours.name_of(secret) == "phone"
    assert ours.revoke("phone")
    assert theirs.name_of(secret) is None
    assert not theirs.revoke("phone")


@pytest.mark.parametrize("name", ["", "x" * 61, "a\nb", "--list"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest):
        Tokens(tmp_path / "auth").create(name)


def test_two_tokens_have_two_names(tmp_path: Path) -> None:
    known = Tokens(tmp_path / "auth")
    known.create("phone")
    with pytest.raises(InvalidRequest, match="token phone already"):
        known.create("phone")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 3}', "[" * 100_000])
def test_a_broken_file_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.json").write_text(text)
    known = SecretList(tmp_path / "list.json")
    assert known.entries() == [] and known.find("x") is None
    assert known.find(known.add({"name": "new"})) == {"name": "new"}


def test_the_list_is_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    known = SecretList(tmp_path / "list.json")
    secrets = [known.add({"n": number}, most=3) for number in range(5)]
    assert [known.find(secret) is not None for secret in secrets] == [False, False, True, True, True]


def test_the_command_makes_lists_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(*words: str) -> str:
        assert tokens(parse(["--data-dir", str(tmp_path), "token", *words])) == 0
        return capsys.readouterr().out

    secret = command("phone").splitlines()[0]
    assert Tokens(tmp_path / "auth").name_of(secret) == "phone"
    assert command().endswith("phone\n")
    assert "phone" in command("phone", "--revoke")
    assert Tokens(tmp_path / "auth").name_of(secret) is None
    with pytest.raises(LaunchError, match="There is no token phone"):
        command("phone", "--revoke")
    with pytest.raises(LaunchError, match="name one token"):
        command("--revoke")
