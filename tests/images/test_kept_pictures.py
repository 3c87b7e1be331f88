"""Pictures that are kept by hand, and their lines in log.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from modules.images.kept_pictures import COLUMNS, LOG, keep

TOLD = {"prompt": "a cat,\n\"fat\"", "seed": 7, "cfgs": None, "negative_prompt": "=1+1", "steps": "-20"}  # fmt: skip


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / LOG).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_picture_is_there_once_under_its_name_or_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    assert [keep(data, folder, "00001-7.png", TOLD) for data in (b"one", b"two", b"one", b"two", b"six")] == [
        ("00001-7.png", True), ("00001-7-1.png", True), ("00001-7.png", False), ("00001-7-1.png", False),
        ("00001-7-2.png", True),
    ]  # fmt: skip
    assert [(folder / f"00001-7{end}.png").read_bytes() for end in ("", "-1", "-2")] == [b"one", b"two", b"six"]
    assert [row["filename"] for row in rows(folder)] == ["00001-7.png", "00001-7-1.png", "00001-7-2.png"]
    assert keep(b"none", folder, "other.png", None).new and len(rows(folder)) == 3


def test_a_line_tells_what_a1111s_does_and_no_formula(tmp_path: Path) -> None:
    keep(b"one", tmp_path, "a.png", TOLD)
    (row,) = rows(tmp_path)
    assert tuple(row) == COLUMNS
    assert (row["prompt"], row["seed"], row["cfgs"], row["width"]) == (TOLD["prompt"], "7", "", "")
    assert (row["negative_prompt"], row["steps"]) == ("'=1+1", "-20")


def test_a_log_with_columns_of_its_own_and_no_end_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("prompt,seed,mine\nold,1,x", encoding="utf-8-sig")
    keep(b"one", tmp_path, "a.png", TOLD)
    assert (tmp_path / LOG).read_bytes().startswith(b"\xef\xbb\xbfprompt,seed,mine\nold,1,x\r\n")
    assert rows(tmp_path)[1]["seed"] == "7"
    (tmp_path / LOG).write_bytes(b"\xff\0\n")
    assert keep(b"two", tmp_path, "b.png", TOLD).new
