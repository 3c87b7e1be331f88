"""Files of styles as A1111 writes them: read, changed without a loss, and refused where they are broken."""

from pathlib import Path

import pytest

from modules.errors import InvalidRequest, StorageError
from modules.prompts.styles.csv_file import BrokenStyles
from modules.prompts.styles.style import Style
from modules.prompts.styles.style_files import StyleFiles

BOM = b"\xef\xbb\xbf"
WRITTEN_BY_A1111 = BOM + (
    b'name,prompt,negative_prompt\r\nNone,,\r\n#a note,,\r\n\r\noil,"oil, of ""{prompt}""\nfine",photo\r\nbad,,ugly\r\n'
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "styles.csv"
    path.write_bytes(WRITTEN_BY_A1111)
    return path


def test_what_a1111_wrote_is_read_as_it_reads_it(path: Path) -> None:
    expected = (Style("None"), Style("oil", 'oil, of "{prompt}"\nfine', "photo"), Style("bad", "", "ugly"))
    assert StyleFiles([path]).styles() == expected
    path.write_text("name,text\nold,an old one\n")
    assert StyleFiles([path]).styles() == (Style("old", "an old one"),)


def test_a_changed_file_is_read_again_and_one_that_is_not_there_is_empty(path: Path) -> None:
    files = StyleFiles([path])
    assert len(files.styles()) == 3
    path.write_text("name,prompt,negative_prompt\nnew,x,y\n")
    assert files.find(["new", "", "None", "---- STYLES ----"]) == (Style("new", "x", "y"),)
    path.unlink()
    assert files.styles() == () and files.problems() == ()
    with pytest.raises(InvalidRequest, match="Style 'new' not found: leave styles out"):
        files.find(["new"])


def test_a_style_is_saved_renamed_and_deleted_and_all_else_stays(path: Path) -> None:
    files = StyleFiles([path])
    files.save(Style("new", "a\nb, {prompt}", "c"))
    assert (path.with_name("styles.csv.bak")).read_bytes() == WRITTEN_BY_A1111
    assert path.read_bytes().startswith(BOM + b"name,prompt,negative_prompt\r\nNone,,\r\n#a note,,\r\n")
    files.save(Style("oil paint", "thick"), replaces="oil")
    assert [style.name for style in files.styles()] == ["None", "oil paint", "bad", "new"]
    files.save(Style("bad", "", "uglier"))
    files.delete("new")
    with pytest.raises(InvalidRequest, match="There is no style 'new' any more"):
        files.delete("new")
    assert files.styles() == (Style("None"), Style("oil paint", "thick"), Style("bad", "", "uglier"))
    assert b"#a note" in path.read_bytes()


def test_columns_of_others_stay_and_the_old_name_of_a_prompt_becomes_the_new(path: Path) -> None:
    path.write_text("name,text,rating\nold,an old one,5\n")
    StyleFiles([path]).save(Style("new", "x"))
    assert path.read_text("utf-8-sig").split() == [
        "name,rating,prompt,negative_prompt", "old,5,an", "old", "one,", "new,,x,",
    ]  # fmt: skip


def test_several_files_count_in_their_order_and_each_keeps_its_own(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "more" / "b.csv"
    second.parent.mkdir()
    first.write_text("name,prompt,negative_prompt\none,1,\nboth,1,\n")
    second.write_text("name,prompt,negative_prompt\nboth,2,\n")
    files = StyleFiles([first, second.parent / "*.csv"])
    assert files.styles() == (Style("one", "1"), Style("both", "2"))
    files.save(Style("both", "3"))
    files.save(Style("new", "4"))
    assert "both,1" in first.read_text() and "new,4" in first.read_text()
    assert "both,3" in second.read_text()


def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    StyleFiles([link]).save(Style("new", "x"))
    assert link.is_symlink() and b"new,x" in path.read_bytes()


@pytest.mark.parametrize(
    ("data", "styles", "words"),
    [
        (b"name,prompt,negative_prompt\na,\xff,\n", 0, "line 2: this is no UTF-8"),
        (b"name,prompt,negative_prompt\na,\0,\n", 0, "line 2: there is a NUL character"),
        (b"title,prompt\na,b\n", 0, "its first line, 'title,prompt', names no column name"),
        (b"name,prompt\na," + b"x" * 200_000 + b"\n", 0, "field larger than field limit"),
        (b"name,prompt,negative_prompt\na,a cat, sitting,x\nb,c,d\n", 2, "line 2: 4 values. Put a text with commas"),
        (b'name,prompt,negative_prompt\na,"b,c\nd,e,f\n', 1, "a quote is opened and not closed"),
    ],
)
def test_a_broken_file_is_told_of_and_never_written(path: Path, data: bytes, styles: int, words: str) -> None:
    path.write_bytes(data)
    files = StyleFiles([path])
    assert len(files.styles()) == styles
    assert words in files.problems()[0] and str(path) in files.problems()[0]
    with pytest.raises(BrokenStyles, match=words.replace(".", r"\.")):
        files.save(Style("new", "x"))
    assert path.read_bytes() == data
    with pytest.raises(InvalidRequest, match=words.replace(".", r"\.")):
        files.find(["gone"])
    path.write_bytes(WRITTEN_BY_A1111)
    assert files.problems() == () and len(files.styles()) == 3


@pytest.mark.parametrize(
    ("style", "field"),
    [
        (Style(""), "name"), (Style(" a"), "name"), (Style("#a"), "name"), (Style("None"), "name"),
        (Style("a\nb"), "name"), (Style("a" * 201), "name"), (Style("a", "b" * 10_001), "prompt"),
        (Style("a", "", "\0"), "negative_prompt"), (Style("a", "\ud800"), "prompt"),
    ],
)  # fmt: skip
def test_what_no_file_can_hold_is_refused(path: Path, style: Style, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        StyleFiles([path]).save(style)
    assert refused.value.field == field
    assert path.read_bytes() == WRITTEN_BY_A1111


def test_a_name_that_is_taken_or_gone_is_refused(path: Path) -> None:
    files = StyleFiles([path])
    with pytest.raises(InvalidRequest, match="There is a style 'bad' already"):
        files.save(Style("bad"), replaces="oil")
    with pytest.raises(InvalidRequest, match="There is no style 'gone' any more"):
        files.save(Style("new"), replaces="gone")
    assert path.read_bytes() == WRITTEN_BY_A1111


def test_a_folder_that_cannot_be_written_says_so(path: Path) -> None:
    path.unlink()
    path.parent.joinpath("blocked").write_text("")
    with pytest.raises(StorageError):
        StyleFiles([path.parent / "blocked" / "styles.csv"]).save(Style("new"))
