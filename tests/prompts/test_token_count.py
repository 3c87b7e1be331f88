"""Tokens counted as the embedded model's text encoder counts them."""

from pathlib import Path

import pytest

from modules.errors import ModelError
from modules.paths import ROOT
from modules.prompts.token_count import Reading, TokenCount, count_tokens
from modules.prompts.tokens import token_ids

TOKENIZER = ROOT / "models" / "Stable-diffusion" / "emoji" / "tokenizer"


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json"])
def test_the_limit_grows_by_chunks(name: str) -> None:
    file = TOKENIZER / name
    assert count_tokens(file, "") == TokenCount(0, 75, (0,))
    assert count_tokens(file, "a " * 75) == TokenCount(75, 75, (75,))
    assert count_tokens(file, "a " * 76) == TokenCount(76, 150, (75, 1))
    assert str(count_tokens(file, "a " * 9)) == "9 / 75"


@pytest.mark.parametrize("text", ["a red heart", "Katzen & Hunde, 12 Stück!", "it's 3.5 ❤", "  two\n\nlines  "])
def test_both_files_count_alike(text: str) -> None:
    assert count_tokens(TOKENIZER / "vocab.json", text) == count_tokens(TOKENIZER / "tokenizer.json", text)


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("(a:1.3) [a] \\(a", (4,)),
        ("a <lora:a a a:1> # a a", (1,)),
        ("[a a a:a:3] a", (4,)),  # the longest of what it says in turn
        ("[a|a a]", (2,)),
        ("[a:a a a:30]", (1,)),  # which of 20 steps never comes to
        ("a a AND a a a :2", (3,)),
        ("a BREAK a a", (1, 2)),
        ("a " * 60 + ", " + "a " * 16, (61, 16)),
    ],
)
def test_what_is_encoded_is_counted(text: str, chunks: tuple[int, ...]) -> None:
    count = count_tokens(TOKENIZER / "tokenizer.json", text)
    assert count == TokenCount(75 * (len(chunks) - 1) + chunks[-1], 75 * len(chunks), chunks)


def test_a_prompt_counts_as_it_is_read() -> None:
    file = TOKENIZER / "tokenizer.json"
    plain = Reading(emphasis="None", comments=False, comma_backtrack=0)
    assert count_tokens(file, "(a) # a", plain).chunks == (5,)
    assert count_tokens(file, "a " * 60 + ", " + "a " * 16, plain).chunks == (75, 2)
    assert count_tokens(file, "a AND a", Reading(negative=True)).chunks == (3,)
    assert count_tokens(file, "[a:a a a:1.5]", Reading(old_editing=True)).chunks == (3,)
    assert count_tokens(file, "[a:a a a:30]", Reading(steps=40)).chunks == (3,)
    assert count_tokens(file, "a (heart:1.2)", Reading(embeddings={"heart": 9})).chunks == (10,)
    assert count_tokens(file, "a" + " a" * 69 + " heart", Reading(embeddings={"heart": 9})).chunks == (70, 9)
    assert count_tokens(file, "(x:1.2)", Reading(spell_out=lambda text: text.replace("x", "a a a"))).chunks == (3,)


def test_of_many_long_texts_in_turn_the_longest_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def counting(file: Path, texts: list[str]) -> list[list[int]]:
        counted.append(sum(map(len, texts)))
        return token_ids(file, texts)

    monkeypatch.setattr("modules.prompts.token_count.token_ids", counting)
    changes = "".join(f"[{'a ' * step}:b :{step}]" for step in range(1, 20))
    longest = sum(range(1, 20))
    assert count_tokens(TOKENIZER / "tokenizer.json", changes).used == longest
    whole = "a " * 4_000
    assert count_tokens(TOKENIZER / "tokenizer.json", changes + whole).used == longest + 4_000
    assert sum(counted[19:]) < 20_000 < 19 * len(whole)


def test_a_model_without_chunks_has_no_limit() -> None:
    count = count_tokens(TOKENIZER / "tokenizer.json", "(a:1.2) BREAK " + "a " * 99, Reading(chunked=False))
    assert count == TokenCount(100)
    assert str(count) == "100"


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read .*: fetch the model again"):
        count_tokens(tmp_path / "tokenizer.json", "a")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read .*: fetch the model again"):
        count_tokens(tmp_path / "tokenizer.json", "a")
