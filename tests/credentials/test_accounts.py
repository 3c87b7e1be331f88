"""Names and passwords: read as A1111's flags have them, kept as hashes."""

import hashlib
import stat
from pathlib import Path

import pytest

from modules.credentials.accounts import (
    from_environment,
    hash_accounts,
    read_accounts,
    read_accounts_file,
    to_environment,
)
from modules.credentials.passwords import LONGEST_PASSWORD_BYTES, hash_password, is_password
from modules.errors import InvalidRequest


def test_a_name_ends_at_the_first_colon() -> None:
    assert read_accounts([("--api-auth", "anna:a:b::c, ben:x")]) == {"anna": "a:b::c", "ben": "x"}


def test_several_flags_and_a_file_are_one_list(tmp_path: Path) -> None:
    file = tmp_path / "who"
    file.write_text("\ufeffanna:gull\n\n ben:x y ,cleo:ö\n", encoding="utf-8")
    texts = [("--gradio-auth", "anna:gull"), read_accounts_file("--api-auth-path", str(file))]
    assert read_accounts(texts) == {"anna": "gull", "ben": "x y", "cleo": "ö"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anna", "entry 1 is not user:password"),
        ("anna:gull,:secret", "entry 2 is not user:password"),
        ("anna:", "entry 1 is not user:password"),
        ("anna:gull,anna:egg", "anna is there twice"),
        ("an\x00na:gull", "name of entry 1"),
        ("anna:" + "x" * (LONGEST_PASSWORD_BYTES + 1), "longer than"),
    ],
)
def test_what_makes_no_sense_is_named_without_its_password(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_accounts([("--api-auth", text)])
    assert words in str(refusal.value) and "--api-auth" in str(refusal.value)
    assert "gull" not in str(refusal.value) and "secret" not in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"--api-auth-path .*nothing cannot be read"):
        read_accounts_file("--api-auth-path", str(tmp_path / "nothing"))


def test_what_the_server_gets_is_slow_to_guess_and_the_same_at_each_start(tmp_path: Path) -> None:
    hashed = hash_accounts({"anna": "gull", "ben": "gull"}, tmp_path / "auth")
    assert hashed == hash_accounts({"anna": "gull", "ben": "gull"}, tmp_path / "auth")
    assert hashed["anna"] != hashed["ben"], "equal passwords do not look equal"
    told = to_environment(hashed)
    assert "gull" not in str(told)
    assert from_environment(told) == hashed
    salt = bytes.fromhex(hashed["anna"].partition("$")[0])
    expected = hashlib.scrypt(b"gull", salt=salt, n=2**14, r=8, p=1, dklen=32).hex()
    assert hashed["anna"].endswith(expected)
    assert hash_accounts({"anna": "gull"}, tmp_path / "other")["anna"] != hashed["anna"]


def test_nothing_is_written_or_told_without_passwords(tmp_path: Path) -> None:
    assert to_environment(hash_accounts({}, tmp_path / "auth")) == {}
    assert not (tmp_path / "auth").exists()
    assert from_environment({}) == {}


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir(mode=0o755)
    hash_accounts({"anna": "gull"}, tmp_path / "auth")
    assert stat.S_IMODE((tmp_path / "auth").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "auth" / "salt").stat().st_mode) == 0o600


def test_a_password_is_itself_alone() -> None:
    known = hash_password("gull:ö", b"0" * 16)
    assert is_password("gull:ö", known)
    assert not is_password("gull:o", known) and not is_password("", known)
    longest = "x" * LONGEST_PASSWORD_BYTES
    assert not is_password(longest + "y", hash_password(longest, b"0" * 16)), "what is cut off is no password"
