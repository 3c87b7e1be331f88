"""Settings: all or none, never lost between processes, never an obstacle to the start."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from modules.errors import InvalidRequest, StorageError
from modules.options import Options, Settings, fields_of_settings
from modules.paths import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_without_a_file_all_is_default_and_nothing_is_written(path: Path) -> None:
    options = Options(path)
    assert options.values == Settings()
    assert options.notices == []
    assert not path.exists()


def test_a_change_is_seen_by_the_next_start(path: Path) -> None:
    changed = Options(path).update({"theme": "dark", "torch_threads": 2, "samples_save": True})
    assert changed == ("theme", "torch_threads")  # samples_save is true already
    assert Options(path).values == Settings(theme="dark", torch_threads=2)


def test_the_file_holds_what_was_chosen_and_keeps_what_it_does_not_know(path: Path) -> None:
    path.write_text('{"from_the_future": [1]}')
    Options(path).update({"theme": "light"})
    assert json.loads(path.read_text()) == {"from_the_future": [1], "theme": "light"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"torch_threads": 1000}, "1000 is not possible for torch_threads (CPU threads): use 0 to 256."),
        ({"torch_threads": True}, "true is not possible for torch_threads (CPU threads): use a whole number."),
        ({"torch_threads": 1.5}, "1.5 is not possible for torch_threads (CPU threads): use a whole number."),
        (
            {"initial_noise_multiplier": 2},
            "2 is not possible for initial_noise_multiplier (Noise multiplier): use 0 to 1.5.",
        ),
        (
            {"initial_noise_multiplier": float("nan")},
            "NaN is not possible for initial_noise_multiplier (Noise multiplier): use a number.",
        ),
        (
            {"img2img_background_color": "white"},
            '"white" is not possible for img2img_background_color (Colour under what is transparent): '
            "use a colour as #ffffff.",
        ),
        ({"theme": "pink"}, '"pink" is not possible for theme (Colours): use auto, light or dark.'),
        ({"theme": []}, "[] is not possible for theme (Colours): use auto, light or dark."),
        (
            {"samples_save": "yes"},
            '"yes" is not possible for samples_save (Always save all generated images): use true or false.',
        ),
        (
            {"sd_model_checkpoint": ""},
            '"" is not possible for sd_model_checkpoint (Checkpoint): use a text that is not empty.',
        ),
    ],
)
def test_a_bad_value_names_value_and_remedy_and_changes_nothing(
    path: Path, changes: dict[str, Any], message: str
) -> None:
    options = Options(path)
    with pytest.raises(InvalidRequest) as caught:
        options.update({"queue_history_shown": 7} | changes)
    assert str(caught.value) == message
    assert caught.value.field == next(iter(changes))
    assert options.values == Settings()
    assert not path.exists()


def test_names_come_as_a_text_or_as_a1111s_list_and_are_kept_in_one_form(path: Path) -> None:
    options = Options(path)
    for sent in (" Seed ,, Size,Seed", ["Seed", "Size", ""]):
        options.update({"infotext_skip_pasting": sent})
        assert options.values.infotext_skip_pasting == "Seed, Size"
    options.update({"infotext_skip_pasting": []})
    assert options.values.infotext_skip_pasting == ""
    for wrong in ([1], {"a": 1}, None, 5):
        with pytest.raises(InvalidRequest, match="use names with commas between"):
            options.update({"infotext_skip_pasting": wrong})


def test_unknown_keys_are_ignored(path: Path) -> None:
    options = Options(path)
    assert options.update({"CLIP_stop_at_last_layers": 1, "theme": "dark"}) == ("theme",)


def test_the_whole_object_can_be_sent_back(path: Path) -> None:
    options = Options(path)
    assert options.update({field.name: getattr(options.values, field.name) for field in fields_of_settings()}) == ()


def test_a_whole_number_may_come_as_a_float(path: Path) -> None:
    options = Options(path)
    options.update({"torch_threads": 3.0})
    assert options.values.torch_threads == 3
    assert type(options.values.torch_threads) is int


DEEP = b'{"later": ' + b"[" * 100_000
# This one can be read, but not written again.
DEEP_AND_VALID = b'{"later": ' + b"[" * 500 + b"]" * 500 + b"}"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b"\0" * 4096, b"null", DEEP, DEEP_AND_VALID],
    ids=["empty", "cut", "a list", "no text", "zeros", "null", "deep", "deep and valid"],
)  # fmt: skip
def test_a_corrupt_file_is_set_aside_with_a_notice(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    options = Options(path)
    assert options.values == Settings()
    assert options.notices == [
        "settings.json was corrupt and is now settings.json.corrupt-1: all settings are back at their defaults."
    ]
    assert path.with_name("settings.json.corrupt-1").read_bytes() == content
    options.update({"theme": "dark"})
    assert Options(path).values.theme == "dark"


def test_a_bad_value_in_the_file_gives_way_to_the_default(path: Path) -> None:
    path.write_text('{"torch_threads": -5, "theme": "dark"}')
    options = Options(path)
    assert options.values == Settings(theme="dark")
    assert options.notices == [
        "settings.json: -5 is not possible for torch_threads (CPU threads): use 0 to 256. "
        "The default, 0, is used until then."
    ]


def test_an_update_never_loses_that_of_another_process(path: Path) -> None:
    server, engine = Options(path), Options(path)
    server.update({"theme": "dark"})
    engine.update({"torch_threads": 2})
    assert engine.values == Settings(theme="dark", torch_threads=2)
    assert server.values == Settings(theme="dark")
    assert server.refresh() is True
    assert server.values == engine.values
    assert server.refresh() is False


def test_processes_that_write_at_once_keep_all_changes(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from modules.options import Options\n"
        "options = Options(Path(sys.argv[1]))\n"
        "for value in range(1, 21): options.update({sys.argv[2]: value * int(sys.argv[3])})\n"
    )
    names = {"torch_threads": 1, "results_kept_hours": 2, "queue_history_shown": 3}
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(path), name, str(factor)], cwd=ROOT)
        for name, factor in names.items()
    ]
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    assert Options(path).values == Settings(torch_threads=20, results_kept_hours=40, queue_history_shown=60)


def test_an_unwritable_place_is_told_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    options = Options(tmp_path / "data" / "settings.json")
    assert options.values == Settings()
    with pytest.raises(StorageError, match="A file stands where a folder is needed"):
        options.update({"theme": "dark"})
    assert options.values == Settings()


def test_a_folder_in_the_place_of_the_file_is_told(path: Path) -> None:
    path.mkdir()
    options = Options(path)
    assert options.values == Settings()
    assert len(options.notices) == 1
    assert str(path) in options.notices[0]
    with pytest.raises(StorageError):
        options.update({"theme": "dark"})


def test_every_setting_is_described() -> None:
    for field in fields_of_settings():
        assert field.label
        assert field.section
        assert field.needs in ("nothing", "engine", "server")
        assert field.check(field.default) == field.default
        if field.type in (int, float):
            assert field.minimum is not None
            assert field.maximum is not None
    names = [field.name for field in fields_of_settings()]
    assert sorted(names) == sorted(Settings.__dataclass_fields__)


@settings(deadline=None)
@given(
    strategies.dictionaries(
        strategies.sampled_from([field.name for field in fields_of_settings()]),
        strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    )
)
def test_an_update_takes_all_or_nothing(changes: dict[str, Any]) -> None:
    before = Settings()
    known = {field.name: field for field in fields_of_settings()}
    valid = True
    for name, value in changes.items():
        try:
            known[name].check(value)
        except InvalidRequest:
            valid = False
    path = Path(tempfile.gettempdir()) / f"settings-{os.getpid()}.json"
    try:
        options = Options(path)
        if valid:
            options.update(changes)
            assert all(getattr(options.values, name) == value for name, value in changes.items())
        else:
            with pytest.raises(InvalidRequest):
                options.update(changes)
            assert options.values == before
    finally:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".lock").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("name", "default", "values"),
    [
        ("live_previews_enable", True, (True, False)),
        ("show_progress_every_n_steps", 1, (-1, 0, 10, 32)),  # A1111: 10; here a budget keeps each step cheap
        ("show_progress_type", "Approx NN", ("Full", "Approx NN", "Approx cheap", "TAESD")),
        ("live_preview_content", "Prompt", ("Prompt", "Negative prompt", "Combined")),
        ("show_progress_grid", True, (True, False)),
        ("live_previews_image_format", "jpeg", ("png", "jpeg", "webp")),  # A1111: png, which takes longer
    ],
)
def test_settings_of_previews_are_those_of_a1111(path: Path, name: str, default: object, values: tuple[object]) -> None:
    assert getattr(Settings(), name) == default
    for value in values:
        options = Options(path)
        options.update({name: value})
        assert getattr(options.values, name) == value
