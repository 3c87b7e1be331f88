"""Tokens counted as the embedded model's text encoder counts them."""

from pathlib import Path

import pytest

from modules.errors import ModelError
from modules.paths import ROOT
from modules.prompts.token_count import TokenCount, count_tokens

TOKENIZER = ROOT / "models" / "Stable-diffusion" / "emoji" / "tokenizer"


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json"])
def test_the_limit_grows_by_chunks(name: str) -> None:
    file = TOKENIZER / name
    assert count_tokens(file, "") == TokenCount(0, 75)
    assert count_tokens(file, "a " * 75) == TokenCount(75, 75)
    assert count_tokens(file, "a " * 76) == TokenCount(76, 150)
    assert str(count_tokens(file, "a " * 9)) == "9 / 75"


@pytest.mark.parametrize("text", ["a red heart", "Katzen & Hunde, 12 Stück!", "it's 3.5 ❤", "  two\n\nlines  "])
def test_both_files_count_alike(text: str) -> None:
    assert count_tokens(TOKENIZER / "vocab.json", text) == count_tokens(TOKENIZER / "tokenizer.json", text)


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read .*: fetch the model again"):
        count_tokens(tmp_path / "tokenizer.json", "a")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read .*: fetch the model again"):
        count_tokens(tmp_path / "tokenizer.json", "a")
