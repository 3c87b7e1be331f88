"""Texts are written in a font that has their letters, wherever this machine has one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from modules.images import fonts
from modules.images.fonts import font_file_for, font_files_for, font_folders, font_of
from modules.images.legends import legend, ruler_of
from tests.images.made_font import write_font


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of fonts, the only one of the machine, before its fonts are looked for."""

    def forget() -> None:
        for remembered in (
            font_of,
            font_file_for,
            fonts._files_of_this_machine,
            fonts.has_letter,
            fonts.font_files_for,
            ruler_of,
        ):
            remembered.cache_clear()

    forget()
    monkeypatch.setattr(fonts, "font_folders", lambda: [tmp_path / "none", tmp_path])
    yield tmp_path
    forget()


def test_a_text_is_written_in_the_font_that_has_most_of_its_letters(machine: Path) -> None:
    (machine / "broken.ttf").write_bytes(b"no font")
    (machine / "no-font.txt").write_bytes(b"")
    latin = write_font(machine / "deeper" / "Latin.ttf", "caféx×")
    east = write_font(machine / "East.otf", "猫犬é")
    assert font_file_for("Steps: 20, cat") == ""  # Pillow's own has all that it needs
    assert font_file_for("café × café") == latin
    assert font_file_for("cafe\u0301 ") == latin  # the same letter in two pieces, and a space that no font draws
    assert font_file_for("猫 犬 🐈") == east  # no font has all of it
    assert font_file_for("🐈") == ""
    assert legend("猫", 40, 200, 200).width == 36  # as wide as that font says: 0.9 em
    assert legend("cafe\u0301", 40, 200, 200).lines == ("café",)


def test_the_font_of_the_settings_comes_first_and_gives_way_only_to_one_that_has_more(machine: Path) -> None:
    own, other = write_font(machine / "own" / "a.ttf", "aé"), write_font(machine / "b.ttf", "aé犬")
    assert (font_file_for("aé", own), font_file_for("aé犬", own), font_file_for("犬猫", own)) == (own, other, other)
    assert font_file_for("猫", own) == own  # nobody has it
    assert font_file_for("Steps", own) == ""  # Pillow's own has


def test_letters_of_several_fonts_stand_in_one_line(machine: Path) -> None:
    """Emoji have a font of their own, as have words of another writing."""
    east, emoji = write_font(machine / "East.otf", "猫犬"), write_font(machine / "Emoji.ttf", "🦄🐈")
    assert font_files_for("a 🦄 and a 🐈") == ("", emoji)
    assert set(font_files_for("a 🦄, 猫")) == {"", emoji, east}
    assert font_files_for("🦄🧿") == (emoji, "")
    assert font_files_for("") == ("",)
    made = legend("ab🦄\ufe0f", 40, 400, 200)
    assert (made.lines, made.width) == (("ab🦄",), round(font_of(40).getlength("ab")) + 36)
    sheet, words = Image.new("L", (400, 100), "white"), Image.new("L", (400, 100), "white")
    made.draw(sheet, (0, 0, made.width, 100), "black")
    legend("ab", 40, 400, 200).draw(words, (0, 0, made.width - 36, 100), "black")
    half = (0, 0, made.width - 37, 100)
    assert sheet.crop(half).tobytes() == words.crop(half).tobytes()
    inverted = [one.point(lambda grey: 255 - grey) for one in (sheet.crop((made.width - 36, 0, 400, 100)), words)]
    square, letters = (one.getbbox() for one in inverted)
    assert square and letters
    assert (square[2] - square[0], square[3] - square[1]) == (32, 32)  # 0.8 em
    assert abs(square[3] - letters[3]) <= 1  # on the line that the letters stand on


def test_plain_fonts_for_reading_are_tried_before_others_and_each_system_has_folders(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Aaa-Bold", "Aaa", "NotoSans-Italic", "NotoSansCJK-Regular", "DejaVuSans"):
        write_font(machine / f"{name}.ttf", "é")
    names = [Path(file).stem for file in fonts._files_of_this_machine()]
    assert names == ["DejaVuSans", "NotoSansCJK-Regular", "Aaa", "NotoSans-Italic", "Aaa-Bold"]
    monkeypatch.setenv("WINDIR", "C:/Windows")
    for system, folder in (("linux", "/usr/share/fonts"), ("darwin", "/Library/Fonts"), ("win32", "C:/Windows/Fonts")):
        monkeypatch.setattr("sys.platform", system)
        assert Path(folder) in font_folders()
