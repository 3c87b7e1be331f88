"""What is learned of the phases of a job, and how it is kept."""

import json
import logging
from pathlib import Path

import pytest

from modules.engine.progress.pace import Pace
from modules.engine.progress.timings import Experience, Size, Timings

SMALL = Size(512, 512, 2)
LARGE = Size(1024, 512, 2)


def known_by(timings: Timings | Path, model: str = "abc") -> Experience:
    """Return what is known of a model, also by a file."""
    timings = timings if isinstance(timings, Timings) else Timings(timings)
    return timings.under(model, "float32", "CPU", 2)


def test_the_median_of_the_last_five_is_kept_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "data" / "timings.json"
    timings = Timings(path)
    known = known_by(timings)
    assert known.seconds("step", SMALL) is None
    for seconds in (90.0, 1.0, 2.0, 3.0, 100.0, 4.0):
        known.learn("step", seconds, SMALL)
    known.learn("load", 7.0)
    timings.save()
    again = Timings(path)
    assert known_by(again).seconds("step", SMALL) == 3.0
    assert known_by(again).seconds("load") == 7.0
    for other in (
        again.under("x", "float32", "CPU", 2),
        again.under("abc", "bfloat16", "CPU", 2),
        again.under("abc", "float32", "GPU", 2),
        again.under("abc", "float32", "CPU", 1),
    ):
        assert other.seconds("step", SMALL) is None


def test_a_file_of_the_first_versions_is_read(tmp_path: Path) -> None:
    phases = {"load": {"": [7.5]}, "step": {"512x512x2": [1.0, 3.0]}, "preview_small": {"512x512x1": [0.25]}}
    path = tmp_path / "timings.json"
    models = {"abc float32 CPU 2": {"phases": phases, "used": 1_700_000_000}}
    path.write_text(json.dumps({"version": 1, "models": models}))
    known = known_by(path)
    assert (known.seconds("load"), known.seconds("step", SMALL)) == (7.5, 2.0)
    assert known.seconds("preview_small", Size(512, 512)) == 0.25


def test_a_size_that_was_never_drawn_is_guessed_from_the_nearest(tmp_path: Path) -> None:
    known = known_by(tmp_path / "timings.json")
    known.learn("step", 1.0, SMALL)
    assert known.seconds("step", LARGE) == pytest.approx(2.0)
    assert known.seconds("step", Size(512, 512, 4)) == pytest.approx(2.0)
    known.learn("step", 3.0, LARGE)  # attention grows faster than the pixels
    assert known.seconds("step", Size(1024, 1024, 2)) == pytest.approx(9.0)
    assert known.seconds("step", Size(8, 8, 2)) is None


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    timings = Timings(path)
    for model in range(200):
        for side in range(8, 8 * 60, 8):
            known_by(timings, str(model)).learn("step", 1.0, Size(side, side, 2))
    timings.save()
    assert path.stat().st_size < 200_000
    assert known_by(path, "199").seconds("step", Size(side, side, 2)) == 1.0
    assert known_by(path, "1").seconds("step", Size(side, side, 2)) is None


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
    known_by(timings).learn("step", 1.0, SMALL)
    timings.save()
    assert known_by(path).seconds("step", SMALL) == 1.0


def test_an_engine_without_a_file_begins_with_that_of_an_older_version_and_leaves_it(tmp_path: Path) -> None:
    inherited = tmp_path / "timings.json"
    old = Timings(inherited)
    known_by(old).learn("step", 1.0, SMALL)
    old.save()
    before = inherited.read_bytes()
    first, second = (Timings(tmp_path / f"timings-{engine}.json", inherited) for engine in "12")
    assert known_by(first).seconds("step", SMALL) == known_by(second).seconds("step", SMALL) == 1.0
    for seconds in (5.0, 5.0):
        known_by(first).learn("step", seconds, SMALL)
    first.save()
    assert inherited.read_bytes() == before
    assert known_by(Timings(tmp_path / "timings-1.json", inherited)).seconds("step", SMALL) == 5.0
    assert known_by(second).seconds("step", SMALL) == 1.0


def test_a_corrupt_file_of_an_older_version_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "timings.json").write_text("{")
    timings = Timings(tmp_path / "timings-1.json", tmp_path / "timings.json")
    assert known_by(timings).seconds("step", SMALL) is None
    assert (tmp_path / "timings.json.corrupt-1").read_text() == "{"
    assert "timings.json was corrupt" in caplog.text


def test_a_file_of_another_version_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    path.write_text(json.dumps({"version": 99, "whatever": True}))
    assert known_by(path).seconds("step", SMALL) is None


def test_a_file_that_is_cut_short_at_any_byte_costs_the_knowledge_alone(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    timings = Timings(path)
    known_by(timings).learn("load", 1.0)
    known_by(timings).learn("step", 1.0, SMALL)
    timings.save()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert known_by(path).seconds("load") is None
        assert not path.exists(), "what is cut short is set aside"
    assert len(list(tmp_path.iterdir())) == len(whole)


def test_a_folder_in_its_place_is_told_and_learning_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "timings.json"
    path.mkdir()
    timings = Timings(path)
    known_by(timings).learn("step", 1.0, SMALL)
    timings.save()
    assert known_by(timings).seconds("step", SMALL) == 1.0
    assert ["cannot be read" in caplog.text, "not remembered" in caplog.text] == [True, True]
    assert [one.name for one in tmp_path.iterdir()] == ["timings.json"], "no half file is left"


def test_a_disk_that_refuses_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    folder.write_text("a file stands here")
    timings = Timings(folder / "timings.json")
    known_by(timings).learn("step", 1.0, SMALL)
    with caplog.at_level(logging.WARNING):
        timings.save()
        timings.save()
    assert len([record for record in caplog.records if "not remembered" in record.message]) == 1
    folder.unlink()
    timings.save()
    assert known_by(folder / "timings.json").seconds("step", SMALL) == 1.0


def test_what_cannot_be_is_not_believed(tmp_path: Path) -> None:
    known = known_by(tmp_path / "timings.json")
    for seconds in (-1.0, float("nan"), float("inf"), 1e9):
        known.learn("step", seconds, SMALL)
    assert known.seconds("step", SMALL) is None


def test_a_job_teaches_the_mean_of_its_steps_and_the_median_of_the_rest(tmp_path: Path) -> None:
    known, one = known_by(tmp_path / "timings.json"), Size(512, 512)
    pace = Pace(known, SMALL)
    pace.measured("first_after_load", SMALL, 9.0)
    for seconds in (1.0, 1.0, 4.0):
        pace.measured("step", SMALL, seconds)
    for seconds in (0.2, 0.3, 5.0):
        pace.measured("decode", one, seconds)
    pace.teach()
    pace.teach()  # once only
    assert known.seconds("step", SMALL) == 2.0
    assert known.seconds("first_after_load", SMALL) == 9.0
    assert known.seconds("decode", one) == 0.3
    again = Pace(known, SMALL)
    assert again.known
    assert again.seconds("step", Size(512, 512, 4)) == pytest.approx(4.0)


def test_the_newest_steps_count_most_and_a_slow_one_for_no_more_than_a_quarter() -> None:
    pace = Pace(size=SMALL)
    for seconds in (1.0,) * 20 + (3.0,) * 20:
        pace.measured("step", SMALL, seconds)
    assert pace.seconds("step", SMALL) == pytest.approx(3.0, abs=0.01)
    pace.measured("step", SMALL, 60.0)
    assert pace.seconds("step", SMALL) == pytest.approx(3.0 + 57 / 4, abs=0.01)
