"""Bad input over the real API: a message with the value and the remedy, nothing lost, and the server goes on."""

import json
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.ending import a_signal_in_mid_job_ends_everything
from tests.program import ROOT, Program

EMBEDDED_MODEL = ROOT / "models" / "Stable-diffusion" / "emoji"


@pytest.mark.parametrize(
    ("request_fields", "words"),
    [
        ({"width": 100}, ["Width", "100", "96", "104"]),
        ({"steps": 0}, ["teps", "0"]),
        ({"steps": 10_000}, ["teps", "10000"]),
        ({"batch_size": 1_000}, ["atch size", "1000"]),
        ({"sampler_name": "Nonsense"}, ["Nonsense", "Euler a"]),
        ({"override_settings": {"sd_model_checkpoint": "nosuch"}}, ["nosuch", "emoji"]),
        ({"prompt": "a\0b"}, ["NUL"]),
        ({"prompt": "x" * 100_000}, ["rompt", "100000"]),
    ],
)
def test_a_bad_value_is_named_with_its_remedy(
    shared_program: Program, request_fields: dict[str, Any], words: list[str]
) -> None:
    body = {"prompt": "cat", "steps": 2, **request_fields}
    status, answer = shared_program.call("POST", "/sdapi/v1/txt2img", body)
    assert status == 422
    detail = json.dumps(json.loads(answer)["detail"]).replace(",", "")
    assert not [word for word in words if word not in detail], detail
    assert shared_program.get("/sdapi/v1/progress")["state"]["job_count"] == 0


def test_unknown_keys_are_ignored(shared_program: Program) -> None:
    answer = shared_program.post(
        "/sdapi/v1/txt2img", {"prompt": "cat", "steps": 2, "seed": 7, "clip_skip": 2, "url": "x"}
    )
    assert len(answer["images"]) == 1


@pytest.fixture(scope="module")
def bruised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program that was started on corrupt files, a file in the place of its outputs, and a broken checkpoint."""
    folder = tmp_path_factory.mktemp("bruised")
    data, broken = folder / "data", folder / "models" / "Stable-diffusion" / "broken"
    data.mkdir()
    (data / "settings.json").write_text('{"samples_save": fal')
    (data / "jobs.sqlite").write_bytes(b"this is no database" * 100)
    (data / "jobs.sqlite-wal").write_bytes(b"nor is this a log")
    (data / "outputs").write_text("a file where the folder should be")
    shutil.copytree(EMBEDDED_MODEL, broken)
    next((broken / "unet").glob("*.safetensors")).unlink()
    with Program(data, "--models-dir", str(folder / "models")) as program:
        yield program


@pytest.fixture
def healed(bruised: Program) -> Program:
    """The same one when its outputs can be written."""
    if (bruised.data / "outputs").is_file():
        (bruised.data / "outputs").unlink()
    return bruised


def test_outputs_that_cannot_be_written_fail_the_job_and_nothing_else(bruised: Program) -> None:
    job = bruised.wait_for(bruised.submit(prompt="cat", steps=2))
    assert job["status"] == "failed"
    assert "outputs" in job["error"]
    (bruised.data / "outputs").unlink()
    assert bruised.wait_for(bruised.submit(prompt="cat", steps=2))["status"] == "done"


def test_corrupt_files_are_set_aside_and_told(healed: Program) -> None:
    assert healed.wait_for(healed.submit(prompt="cat", steps=2))["status"] == "done"
    kept = [path.name for path in healed.data.iterdir() if "corrupt" in path.name]
    assert any(name.startswith("settings.json") for name in kept)
    assert any(name.startswith("jobs.sqlite") and "-wal" in name for name in kept)


def test_a_checkpoint_with_a_missing_file_is_named(healed: Program) -> None:
    body = {"prompt": "cat", "steps": 2, "override_settings": {"sd_model_checkpoint": "broken"}}
    status, answer = healed.call("POST", "/sdapi/v1/txt2img", body)
    assert status == 422
    assert "broken" in answer.decode() and "unet" in answer.decode()
    assert healed.wait_for(healed.submit(prompt="cat", steps=2))["status"] == "done"


def test_ctrl_c_in_mid_job_ends_everything(healed: Program) -> None:
    """The last one here, since it ends this file's program."""
    a_signal_in_mid_job_ends_everything(healed, signal.SIGINT)
