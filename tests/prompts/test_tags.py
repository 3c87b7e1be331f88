"""Lists of tags: in the form of Danbooru's, found by how they or their other names begin."""

from pathlib import Path

from modules.prompts.tags import Tags

DANBOORU = (
    '1girl,0,6000000,"sole_female,1girls"\nred_hair,0,500000,"redhead"\nred_eyes,0,700000,""\n'
    "red_heart_(symbol),0,100\n# a comment\n,0,3\nonly_a_name\n"
)


def found(tags: Tags, start: str) -> list[str]:
    return [tag.name for tag in tags.starting_with(start, 10)]


def test_tags_are_found_by_their_beginning_those_of_most_pictures_first(tmp_path: Path) -> None:
    (tmp_path / "danbooru.csv").write_text(DANBOORU)
    tags = Tags(tmp_path)
    assert found(tags, "red") == ["red_eyes", "red_hair", "red_heart_(symbol)"]
    assert found(tags, "Red H") == ["red_hair", "red_heart_(symbol)"] == found(tags, "red_h")
    assert found(tags, "sole") == ["1girl"] and tags.starting_with("sole", 1)[0].alias == "sole_female"
    assert found(tags, "only") == ["only_a_name"] and found(tags, "blue") == []
    assert len(tags.starting_with("red", 2)) == 2
    assert tags.starting_with(" \\ ", 2) == [], "nothing begins no tag"
    assert [tag.name for tag in tags.starting_with("1girl", 5)] == ["1girl"], "once, though an alias begins so too"


def test_a_tag_is_written_with_spaces_and_with_brackets_that_mean_themselves(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text(DANBOORU)
    assert Tags(tmp_path).starting_with("red_heart", 1)[0].text == r"red heart \(symbol\)"


def test_files_are_read_again_when_they_change_and_what_is_broken_costs_nothing_else(tmp_path: Path) -> None:
    now = [0.0]
    tags = Tags(tmp_path, clock=lambda: now[0])
    assert found(tags, "red") == [] == found(Tags(None), "red")
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfred_car,0,5\n"red_broken\nred\x00x,0\n')
    (tmp_path / "b.csv").write_text(f"red_bus,0,4\nred_car,0,900\nred_sun,0,{'9' * 5000}\n")
    (tmp_path / "c.csv").mkdir()
    assert found(tags, "red") == [], "it is not looked for at each letter"
    now[0] = 10
    assert found(tags, "red_c") == ["red_car"] and found(tags, "red_b") == ["red_bus"]
    assert tags.starting_with("red_s", 1)[0].count == 0, "a count that is none"
    assert tags.starting_with("red_car", 1)[0].count == 5, "the first file counts"
