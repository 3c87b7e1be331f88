"""Characters that a model knows by name are read as that name."""

import json
from pathlib import Path

import pytest

from modules.paths import ROOT
from modules.prompts.everyday_words import EverydayWords
from modules.prompts.symbols import FILE, Symbols, read_symbols

EMOJI = ROOT / "models" / "Stable-diffusion" / "emoji"


@pytest.fixture(scope="module")
def emoji() -> Symbols:
    return read_symbols(EMOJI)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("🦄", "unicorn"),
        ("❤️", "red heart"),
        ("❤", "red heart"),
        ("❤︎", "red heart"),
        ("🐱", "cat face"),
        ("a 🐱 on a blue background", "a cat face on a blue background"),
        ("a🐱on", "a cat face on"),
        ("blue ❤️, 3d", "blue red heart, 3d"),
        ("(🦄:1.3)", "(unicorn:1.3)"),
        ("🐱🌙", "cat face, crescent moon"),
        ("🐱 🌙", "cat face, crescent moon"),
        ("🐱\n🌙", "cat face\ncrescent moon"),
        ("🐱, 🌙", "cat face, crescent moon"),
        ("👋🏽", "waving hand, medium skin tone"),
        ("👩🏻‍🎨", "woman artist, light skin tone"),
        ("👩‍🎨", "woman artist"),
        ("👨‍👩‍👧", "family, man, woman, girl"),
        ("🏃🏻‍♀️‍➡️", "woman running, light skin tone, facing right"),
        ("👩🏻‍🤝‍👨🏿", "woman and man holding hands, light skin tone, dark skin tone"),
        ("👩🏽‍❤️‍👨🏽", "couple with heart, woman, man, medium skin tone"),
        ("🐱‍🚀", "cat face, rocket"),
        ("🇫🇷🇩🇪", "flag of france, flag of germany"),
        ("1️⃣", "keycap 1"),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "flag of scotland"),
        ("🌙 over the sea 🌊!", "crescent moon over the sea water wave!"),
        ("red heart, 1 # *", "red heart, 1 # *"),
        ("نمی‌خواهم क्‍ष", "نمی‌خواهم क्‍ष"),
        ("", ""),
    ],
)
def test_emoji_are_read_by_their_names(emoji: Symbols, typed: str, read: str) -> None:
    assert emoji.spell_out(typed) == read


def test_a_text_of_nothing_else_stays_short(emoji: Symbols) -> None:
    assert emoji.spell_out("🦄" * 10_000).count("unicorn") == 500


def test_a_model_without_names_changes_nothing(tmp_path: Path) -> None:
    assert read_symbols(tmp_path).spell_out("🦄 ❤️") == "🦄 ❤️"


@pytest.mark.parametrize("said", [{"🦄": 5}, {"": "x"}, {"🦄": ""}, {"🦄" * 41: "x"}, {"🦄": "x" * 201}])
def test_a_damaged_file_is_told(tmp_path: Path, said: dict[str, object]) -> None:
    (tmp_path / FILE).write_text(json.dumps(said))
    with pytest.raises(ValueError, match="has no name for"):
        read_symbols(tmp_path)


def test_every_favourite_of_the_embedded_model_stands_for_a_character() -> None:
    names = set(json.loads((EMOJI / FILE).read_text(encoding="utf-8")).values())
    favourites = (ROOT / "training" / "favourites.txt").read_text(encoding="utf-8").split("\n")
    assert [one for one in favourites if one and one.lower() not in names] == []


def test_a_digest_tells_one_set_of_names_from_another() -> None:
    names, words = {"🦄": "unicorn", "🐱": "cat face"}, {"coffee": "hot beverage"}
    digest = Symbols(names, EverydayWords(words)).digest
    assert digest == Symbols(dict(reversed(names.items())), EverydayWords(words)).digest
    others = [Symbols(names), Symbols({}, EverydayWords(words)), Symbols(names | {"🐱": "cat"}, EverydayWords(words)),
              Symbols(names, EverydayWords({"coffee": "teacup"}))]  # fmt: skip
    assert len({digest, *(one.digest for one in others)}) == 5
    assert Symbols({}).digest == ""
