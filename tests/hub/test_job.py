"""A download in this process: what is chosen, where it goes, and what happens when something goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from modules.hub import fetch
from modules.hub.job import Download, Order
from tests.hub.stand_in import COMMIT, StandIn, safetensors_of
from tests.jobs.made_models import INDEX

SIZE = 3 << 20
CORE = ["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight"]


def repository() -> dict[str, bytes]:
    """A model in diffusers layout with all that repositories have beside what is drawn with."""
    index = INDEX | {"custom": [None, None]}
    files = {"model_index.json": json.dumps(index).encode(), "README.md": b"# A model", "pipeline.py": b"import os"}
    for part in ("unet", "vae", "text_encoder"):
        files[f"{part}/config.json"] = b"{}"
        stem = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        files[f"{part}/{stem}.safetensors"] = safetensors_of([part], 20_000)
        files[f"{part}/{stem}.fp16.safetensors"] = safetensors_of([part], 10_000)
        files[f"{part}/{stem}.bin"] = b"\x80pickle"
    files["scheduler/scheduler_config.json"] = b"{}"
    files["tokenizer/vocab.json"] = b"{}"
    files["tokenizer/merges.txt"] = b"a b"
    files["safety_checker/model.safetensors"] = safetensors_of(["x"], 30_000)
    files["whole.safetensors"] = safetensors_of(CORE, 50_000)
    return files


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    repos = {
        "org/whole": repository(),
        "org/file": {"a.safetensors": safetensors_of(CORE, SIZE), "a.ckpt": b"\x80"},
        "org/several": {
            "one.safetensors": b"1" * 2000,
            "two.safetensors": b"2" * 3000,
            "vae/ae.safetensors": safetensors_of(["x"], 5000),
        },
        "org/pickle": {"model.ckpt": b"\x80"},
        "org/style": {"style.safetensors": safetensors_of(["lora_unet_x.lora_down.weight"], 4000)},
    }
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(fetch, "_PIECE_BYTES", 1 << 16)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with StandIn(repos) as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        yield started


def download(folder: Path, repo: str, path: str | None = None, **more: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    staging, models = folder / "models" / ".downloads" / "one", folder / "models"
    values = {"revision": None, "half": False, "token": None, "waits_seconds": (0.0,)} | more
    Download(Order(repo=repo, path=path, staging=str(staging), models=str(models), **values), told.append).run()
    return told


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_of_a_whole_model_comes_what_is_drawn_with_and_no_more(hub: StandIn, tmp_path: Path) -> None:
    told = download(tmp_path, "org/whole")
    place = tmp_path / "models" / "Stable-diffusion" / "whole"
    assert told[-1] == {"event": "done", "path": str(place), "kind": "checkpoint"}
    assert files_in(tmp_path / "models") == {
        f"Stable-diffusion/whole/{name}"
        for name in (
            "model_index.json", "README.md", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
            "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
            "text_encoder/model.safetensors", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer/merges.txt",
        )
    }  # fmt: skip
    half = download(tmp_path, "org/whole", half=True)
    second = Path(half[-1]["path"])
    assert second.name == "org_whole", "nothing is written over"
    assert (second / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    assert not (second / "unet" / "diffusion_pytorch_model.safetensors").exists()


def test_a_file_goes_where_its_kind_belongs(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "models" / "checkpoints").mkdir(parents=True)
    cases = {
        ("org/file", None): "checkpoints/a.safetensors",
        ("org/style", None): "Lora/style.safetensors",
        ("org/several", "vae/ae.safetensors"): "VAE/ae.safetensors",
        ("org/several", "one.safetensors"): "checkpoints/one.safetensors",
    }
    for (repo, path), place in cases.items():
        assert download(tmp_path, repo, path)[-1]["path"] == str(tmp_path / "models" / place)
    assert files_in(tmp_path / "models") == set(cases.values())


def test_a_connection_that_is_cut_is_gone_on_with(hub: StandIn, tmp_path: Path) -> None:
    hub.cuts = [SIZE // 2]
    assert download(tmp_path, "org/file")[-1]["event"] == "done"
    first, second = hub.ranges_of("a.safetensors")
    assert first is None
    assert second is not None
    assert int(second.removeprefix("bytes=").rstrip("-")) > SIZE // 4
    arrived = (tmp_path / "models" / "Stable-diffusion" / "a.safetensors").read_bytes()
    assert arrived == hub.repos["org/file"]["a.safetensors"]


def test_the_next_process_goes_on_where_the_last_one_ended(hub: StandIn, tmp_path: Path) -> None:
    hub.cuts = [SIZE // 2, *[0] * 20]
    told = download(tmp_path, "org/file", waits_seconds=())
    assert told[-1]["event"] == "failed"
    assert "cannot be reached" in told[-1]["message"]
    assert files_in(tmp_path / "models" / "Stable-diffusion") == set(), "what is not whole is nowhere to be chosen"
    hub.cuts, hub.asked = [], []
    assert download(tmp_path, "org/file")[-1]["event"] == "done"
    (went_on,) = hub.ranges_of("a.safetensors")
    assert went_on is not None
    assert not [path for _, path, _ in hub.asked if path.startswith("/api/")], "the plan was kept"
    assert not (tmp_path / "models" / ".downloads" / "one").exists()


def test_what_is_not_what_was_listed_is_not_kept(hub: StandIn, tmp_path: Path) -> None:
    data = hub.repos["org/file"]["a.safetensors"]
    for false, says in ((b"x" * len(data), "is not what the Hub lists"), (data[:-5], "bytes in the list"[:5])):
        hub.falsified = {"a.safetensors": false}
        told = download(tmp_path, "org/file")
        assert told[-1]["event"] == "failed"
        assert says in told[-1]["message"]
        assert files_in(tmp_path / "models" / "Stable-diffusion") == set()
    hub.falsified = {}
    assert download(tmp_path, "org/file")[-1]["event"] == "done"


def test_who_may_not_is_told_what_to_do(hub: StandIn, tmp_path: Path) -> None:
    def message(repo: str, path: str | None = None, **more: Any) -> str:
        shutil.rmtree(tmp_path / "models", ignore_errors=True)
        told = download(tmp_path, repo, path, **more)
        assert told[-1]["event"] == "failed"
        return str(told[-1]["message"])

    assert "There is no org/none on the Hub, or it is private" in message("org/none")
    assert "has no such revision" in message("org/file", revision="old")
    assert "org/pickle has weights as pickles alone (model.ckpt)" in message("org/pickle")
    assert "org/file has no file b.safetensors" in message("org/file", "b.safetensors")
    hub.gated, hub.token = {"org/file"}, "hf_secret"
    assert f"accept its terms on {hub.url}/org/file" in message("org/file")
    assert download(tmp_path, "org/file", token="hf_secret")[-1]["event"] == "done"
    hub.private = {"org/whole"}
    assert "or it is private" in message("org/whole", token="hf_wrong")
    hub.status = 503
    assert "has trouble itself (status 503)" in message("org/file")


def test_of_several_files_one_is_to_be_chosen(hub: StandIn, tmp_path: Path) -> None:
    told = download(tmp_path, "org/several")
    assert told[-1]["message"] == "org/several has 3 files with weights: choose one."
    assert [choice["path"] for choice in told[-1]["choices"]] == [
        "one.safetensors", "two.safetensors", "vae/ae.safetensors",
    ]  # fmt: skip
    assert told[-1]["choices"][0]["size"] == 2000


def test_what_does_not_fit_on_the_disk_is_not_begun(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=200_000_000))
    told = download(tmp_path, "org/file")
    assert "a.safetensors needs 0.5 GB on the disk of" in told[-1]["message"]
    assert "which has 0.2 GB free: free some space, then resume." in told[-1]["message"]
    assert hub.ranges_of("a.safetensors") == []


def test_paths_that_lead_elsewhere_are_not_fetched(hub: StandIn, tmp_path: Path) -> None:
    hub.repos["org/evil"] = {
        "../../up.safetensors": b"x" * 50,
        "a/../../b.safetensors": b"x",
        "C:\\c.safetensors": b"x",
    }
    assert "has no weights" in download(tmp_path, "org/evil")[-1]["message"]
    plan = {"repo": "o/n", "commit": COMMIT, "whole": False, "files": [{"path": "../x.safetensors", "size": 1}]}
    staging = tmp_path / "models" / ".downloads" / "one"
    staging.mkdir(parents=True, exist_ok=True)
    (staging / "plan.json").write_text(json.dumps(plan))
    download(tmp_path, "org/file")
    assert not (staging / "x.safetensors").exists()
