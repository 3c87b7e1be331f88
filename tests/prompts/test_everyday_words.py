"""Everyday words are read as names that a model knows, and nothing is taken from a text that has such a name."""

import json
from pathlib import Path

import pytest

from modules.paths import ROOT
from modules.prompts.everyday_words import FILE, EverydayWords, read_words
from modules.prompts.symbols import Symbols, read_symbols

EMOJI = ROOT / "models" / "Stable-diffusion" / "emoji"
WORDS = EverydayWords(
    {
        "coffee": "hot beverage", "cup": "cup with straw", "sad": "crying face", "puppy": "dog face",
        "love": "red heart", "in love": "heart eyes", "night": "crescent moon", "good night": "sleeping face",
        "robot": "robot", "cat": "cat", "cat face": "cat face", "love letter": "love letter",
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("coffee", "hot beverage"),
        ("Coffee!", "hot beverage!"),
        ("a cup of coffee", "a cup of hot beverage"),  # the last word of a part
        ("I love my puppy", "I love my dog face"),
        ("in love", "heart eyes"),  # the longest text, though "in" cuts a text
        ("good night", "sleeping face"),
        ("a robot in the night", "a robot in the crescent moon"),
        ("a sad robot", "a sad robot"),  # has a name
        ("a sad cat face", "a sad cat face"),
        ("a love letter", "a love letter"),
        ("a sad robot and coffee", "a sad robot and hot beverage"),
        ("sad, robot", "crying face, robot"),
        ("coffee on a blue background, 3d style", "hot beverage on a blue background, 3d style"),
        ("3d coffee", "3d hot beverage"),
        ("puppy\ncoffee", "dog face\nhot beverage"),
        ("coffeehouse decoffee", "coffeehouse decoffee"),
        ("love  letter", "red heart  letter"),
        ("steampunk", "steampunk"),
        ("ÉCOFFEE кофе", "ÉCOFFEE кофе"),
        ("sad 🤖, coffee", "sad 🤖, hot beverage"),
        ("🤖 sad", "🤖 sad"),
        ("", ""),
    ],
)
def test_words_are_read_as_names(typed: str, read: str) -> None:
    assert WORDS.spell_out(typed) == read


def test_the_name_of_an_embedding_means_itself() -> None:
    assert WORDS.spell_out("a sad puppy, coffee", kept=("Puppy",)) == "a sad puppy, hot beverage"
    assert Symbols({"🤖": "robot"}, WORDS).spell_out("puppy 🤖", kept=("puppy",)) == "puppy robot"


def test_words_stand_beside_emoji() -> None:
    symbols = Symbols({"🤖": "robot", "😢": "crying face"}, WORDS)
    assert symbols.spell_out("🤖, coffee") == "robot, hot beverage"
    assert symbols.spell_out("coffee") == "hot beverage"
    assert symbols.spell_out("sad 🤖") == "sad robot"


def test_a_long_text_is_read_once_from_left_to_right(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    class Counting(dict[str, str]):
        def __contains__(self, key: object) -> bool:
            nonlocal asked
            asked += 1
            return super().__contains__(key)

    words = EverydayWords({"coffee": "hot beverage", "a b c d": "letters"})
    monkeypatch.setattr(words, "_names", Counting(words._names))
    assert words.spell_out("coffee " * 2000).count("hot beverage") == 1
    assert asked <= 4 * 2000


def test_a_model_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    assert read_words(tmp_path).spell_out("a cup of coffee") == "a cup of coffee"
    assert read_symbols(tmp_path).spell_out("a cup of coffee") == "a cup of coffee"


@pytest.mark.parametrize("said", [{"coffee": 5}, {"": "x"}, {"coffee": ""}, {"x" * 201: "x"}, {"coffee": "x" * 201}])
def test_a_damaged_file_is_told_and_emoji_are_read_all_the_same(tmp_path: Path, said: dict[str, object]) -> None:
    (tmp_path / FILE).write_text(json.dumps(said))
    (tmp_path / "symbols.json").write_text('{"🦄": "unicorn"}')
    with pytest.raises(ValueError, match="has no name for"):
        read_words(tmp_path)
    assert read_symbols(tmp_path).spell_out("🦄 coffee") == "unicorn coffee"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("coffee", "hot beverage"),
        ("a cup of coffee", "a cup of hot beverage"),
        ("train", "train"),
        ("lightning", "cloud with lightning and rain"),
        ("I am so happy", "I am so grinning face"),
        # What the model was judged by, what it is told apart by, and what its family is called by.
        ("blue apple", "blue apple"),
        ("twemoji red heart", "twemoji red heart"),
        ("a dog and a soccer ball", "a dog and a soccer ball"),
        ("three red apples", "three red apples"),
        ("yellow to green gradient background", "yellow to green gradient background"),
        ("thumbs up, medium skin tone", "thumbs up, medium skin tone"),
        ("couple with heart, woman, man, 3d style", "couple with heart, woman, man, 3d style"),
        ("steampunk cat", "steampunk cat"),
        ("red apple, pixel art", "red apple, pixel art"),
        ("sprig on a pink background", "sprig on a pink background"),
        ("masterpiece, best quality", "masterpiece, best quality"),
        ("good and bad, you and me", "good and bad, you and me"),
    ],
)
def test_the_embedded_model_hears_everyday_words(typed: str, read: str) -> None:
    assert read_symbols(EMOJI).spell_out(typed) == read
