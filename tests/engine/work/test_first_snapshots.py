"""A job that paused under the first version goes on from its snapshot."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from modules.engine.samplers.estimate import Step
from modules.engine.samplers.state import SamplingState, pack
from modules.engine.work.first_snapshots import request_digest
from modules.engine.work.snapshots import Snapshots, UnfitSnapshot, _checksum
from modules.jobs.kinds.base import ResolvedJob
from tests.jobs.made_jobs import flat_row

ENVIRONMENT = {"torch": "2.13"}
JOB = ResolvedJob.model_validate(flat_row(prompt="ein Herz, größer ❤", steps=30))
# What that version called it.
DIGEST = "8311af5274b6559a7aca80299a6f78cb232b262f3215f9ce0a6a3a301bc696f5"


def written_then(**changes: Any) -> bytes:
    """Return a snapshot as that version wrote it."""
    latents = torch.full((1, 4, 8, 8), 0.5)
    attributes = {
        "_step_index": 12, "model_outputs": [None, latents + 1],
        "latest": Step(latents, latents * 2, 1.25, "epsilon", exploding=True),
    }  # fmt: skip
    tensors, rest = pack(SamplingState(12, 30, latents, attributes, (torch.Generator().manual_seed(1).get_state(),)))
    state = {"done": 12, "steps": 30} | {name: rest[name] for name in ("latents", "scheduler", "generators")}
    whole = {"job": "job", "indices": [0], "request": DIGEST, "environment": ENVIRONMENT, "state": state | changes}
    text = json.dumps(whole)
    return bytes(save(tensors, {"format": "1", "snapshot": text, "sha256": _checksum(text, tensors)}))


def test_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "job.safetensors").write_bytes(written_then())
    found = Snapshots(tmp_path, lambda: 0).find("job", JOB, ENVIRONMENT, "cpu")
    assert found is not None
    assert (found.indices, found.at_pass, found.state.standing) == ((0,), 0, (12, 30))
    assert found.state.latest is not None
    assert found.state.latest.sigma == 1.25
    assert set(found.state.scheduler) == {"_step_index", "model_outputs"}
    assert torch.equal(found.state.scheduler["model_outputs"][1], found.state.latents + 1)


def test_its_request_is_told_from_others(tmp_path: Path) -> None:
    (tmp_path / "job.safetensors").write_bytes(written_then())
    assert request_digest(JOB) == DIGEST
    other = JOB.model_copy(update={"seed": 3})
    with pytest.raises(UnfitSnapshot, match="another request"):
        Snapshots(tmp_path, lambda: 0).find("job", other, ENVIRONMENT, "cpu")


def test_one_that_is_no_whole_one_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "job.safetensors").write_bytes(written_then(scheduler=None))
    with pytest.raises(UnfitSnapshot, match="damaged"):
        Snapshots(tmp_path, lambda: 0).find("job", JOB, ENVIRONMENT, "cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["job.safetensors.corrupt-1"]
