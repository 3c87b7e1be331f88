"""What is learned of the phases of a job, and how it is kept."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from modules.engine.progress.pace import Pace
from modules.engine.progress.timings import Circumstances, Timings

SMALL = Circumstances("abc", "float32", "CPU", 2, 512, 512)
LARGE = dataclasses.replace(SMALL, width=1024)


def test_the_median_of_the_last_five_is_kept_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "data" / "timings.json"
    timings = Timings(path)
    assert timings.seconds(SMALL, "step", 2) is None
    for seconds in (90.0, 1.0, 2.0, 3.0, 100.0, 4.0):
        timings.learn(SMALL, "step", seconds, 2)
    timings.learn(SMALL, "load", 7.0)
    timings.save()
    again = Timings(path)
    assert again.seconds(SMALL, "step", 2) == 3.0
    assert again.seconds(SMALL, "load") == again.seconds(LARGE, "load") == 7.0
    changes: list[dict[str, Any]] = [{"model": "x"}, {"dtype": "bfloat16"}, {"device": "GPU"}, {"threads": 1}]
    for other in changes:
        assert again.seconds(dataclasses.replace(SMALL, **other), "step", 2) is None


def test_a_size_that_was_never_drawn_is_guessed_from_the_nearest(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "timings.json")
    timings.learn(SMALL, "step", 1.0, 2)
    assert timings.seconds(LARGE, "step", 2) == pytest.approx(2.0)
    assert timings.seconds(SMALL, "step", 4) == pytest.approx(2.0)
    timings.learn(LARGE, "step", 3.0, 2)  # attention grows faster than the pixels
    larger = dataclasses.replace(LARGE, height=1024)
    assert timings.seconds(larger, "step", 2) == pytest.approx(9.0)
    assert timings.seconds(dataclasses.replace(SMALL, width=8, height=8), "step", 2) is None


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    timings = Timings(path)
    for model in range(200):
        for side in range(8, 8 * 60, 8):
            one = Circumstances(str(model), "float32", "CPU", 2, side, side)
            timings.learn(one, "step", 1.0, 2)
    timings.save()
    assert path.stat().st_size < 200_000
    assert Timings(path).seconds(one, "step", 2) == 1.0
    assert Timings(path).seconds(dataclasses.replace(one, model="1"), "step", 2) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "models": []}', '{"version": 1, "models": {"a": 3}}',
     '{"version": 1, "models": {"a": {"phases": {"step": {"1x1x1": ["x"]}}}}}',
     '{"version": 1, "models": {"a": {"phases": {"step": {"1x1x1": [NaN]}}}}}',
     '{"version": 1, "models": {"a": {"phases": {"step": {"1x1x1": []}}}}}',
     '{"version": 1, "models": {"a": {"phases": {"step": {"wide": [1]}}}}}', "\x00" * 100, "ÿ", "[" * 100_000,
     '{"version": 1, "models": {"a": {"phases": {"step": {"' + "9" * 400 + 'x1x1": [1]}}}}}'],
)  # fmt: skip
def test_a_corrupt_file_is_set_aside_and_told(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "timings.json"
    path.write_text(text, encoding="latin-1")
    timings = Timings(path)
    assert (tmp_path / "timings.json.corrupt-1").read_text(encoding="latin-1") == text
    assert len(caplog.records) == 1
    timings.learn(SMALL, "step", 1.0)
    timings.save()
    assert Timings(path).seconds(SMALL, "step") == 1.0


def test_a_file_of_another_version_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    path.write_text(json.dumps({"version": 99, "whatever": True}))
    assert Timings(path).seconds(SMALL, "step") is None


def test_a_file_that_is_cut_short_at_any_byte_costs_the_knowledge_alone(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    timings = Timings(path)
    for kind in ("load", "step"):
        timings.learn(SMALL, kind, 1.0)
    timings.save()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert Timings(path).seconds(SMALL, "load") is None
        assert not path.exists(), "what is cut short is set aside"
    assert len(list(tmp_path.iterdir())) == len(whole)


def test_a_folder_in_its_place_is_told_and_learning_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "timings.json"
    path.mkdir()
    timings = Timings(path)
    timings.learn(SMALL, "step", 1.0)
    timings.save()
    assert timings.seconds(SMALL, "step") == 1.0
    assert ["cannot be read" in caplog.text, "not remembered" in caplog.text] == [True, True]
    assert [one.name for one in tmp_path.iterdir()] == ["timings.json"], "no half file is left"


def test_a_disk_that_refuses_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    folder.write_text("a file stands here")
    timings = Timings(folder / "timings.json")
    timings.learn(SMALL, "step", 1.0)
    with caplog.at_level(logging.WARNING):
        timings.save()
        timings.save()
    assert len([record for record in caplog.records if "not remembered" in record.message]) == 1
    folder.unlink()
    timings.save()
    assert Timings(folder / "timings.json").seconds(SMALL, "step") == 1.0


def test_what_cannot_be_is_not_believed(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "timings.json")
    for seconds in (-1.0, float("nan"), float("inf"), 1e9):
        timings.learn(SMALL, "step", seconds)
    assert timings.seconds(SMALL, "step") is None


def test_a_job_teaches_the_mean_of_its_steps_and_the_median_of_the_rest(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "timings.json")
    pace = Pace(timings.under(SMALL), rows=2)
    pace.measured("first_after_load", 9.0)
    for seconds in (1.0, 1.0, 4.0):
        pace.measured("step", seconds)
    for seconds in (0.2, 0.3, 5.0):
        pace.measured("decode", seconds)
    pace.teach()
    pace.teach()  # once only
    assert timings.seconds(SMALL, "step", 2) == 2.0
    assert timings.seconds(SMALL, "first_after_load", 2) == 9.0
    assert timings.seconds(SMALL, "decode") == 0.3
    again = Pace(timings.under(SMALL), rows=2)
    assert again.known
    assert again.seconds("step", 4) == pytest.approx(4.0)
