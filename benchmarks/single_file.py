"""A Stable Diffusion 1.5 of full size in fp16 as a single file, and the same weights as a folder in diffusers layout.

`python -m benchmarks.single_file [rounds]`; budgets: looked at in 50 ms, loaded in 1.2 of the folder's time, and the
same bits: of all weights, and of what the denoiser says. Both are in the cache of the system and take turns; the
fastest load of each is compared. It writes 4.3 GB of random weights to the folder for temporary files, removed after.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.full_size_model import build
from benchmarks.verdict import Verdicts
from modules.engine.assembly import quieten_libraries
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.loading import load_model
from modules.engine.stopping.cancel import Cancel
from modules.jobs.models.folder import look_at
from modules.shared_state import State
from tests.engine import original_keys

LISTED_SECONDS = 0.05
LOADED = 1.2
ROUNDS = 3


def write(place: Path) -> tuple[Path, Path]:
    """Write the model in fp16 twice, and return folder and file."""
    folder = build(place / "folder")
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name in ("unet", "vae", "text_encoder"):
        (path,) = (folder / name).glob("*.safetensors")
        parts[name] = {key: one.to(torch.float16) for key, one in load_file(path).items()}
        save_file(parts[name], path, metadata={"format": "pt"})
    file = original_keys.write(
        place / "file.safetensors",
        {
            "model.diffusion_model.": original_keys.unet(parts["unet"]),
            "first_stage_model.": original_keys.vae(parts["vae"]),
            "cond_stage_model.transformer.": original_keys.clip(parts["text_encoder"]),
        },
    )
    return folder, file


def load(path: Path) -> tuple[Any, float]:
    """Return the pipeline, and how long its load took."""
    gc.collect()
    began = time.perf_counter()
    model = load_model(ModelKey(path, "x", "float16", family="sd1"), Cancel(State()), lambda fraction: None)
    return model.pipeline, time.perf_counter() - began


def same_bits(one: Any, other: Any) -> bool:
    """Tell whether all weights of two pipelines are the same, and what their denoisers say to the same noise."""
    for name, part in one.components.items():
        if isinstance(part, nn.Module):
            state = getattr(other, name).state_dict()
            if not all(torch.equal(tensor, state[key]) for key, tensor in part.state_dict().items()):
                return False
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).half()
    words = torch.randn(1, 77, 768, generator=torch.Generator().manual_seed(2)).half()
    with torch.inference_mode():
        said = [pipeline.unet(noise, 500, encoder_hidden_states=words).sample for pipeline in (one, other)]
    return torch.equal(*said)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    verdicts = Verdicts()
    quieten_libraries()
    with tempfile.TemporaryDirectory() as place:
        folder, file = write(Path(place))
        gc.collect()
        looks = []
        for _ in range(5):
            began = time.perf_counter()
            seen = look_at("file.safetensors", file)
            looks.append(time.perf_counter() - began)
        assert (seen.family, seen.number_format) == ("sd1", "fp16"), seen
        held = verdicts.at_most("looked at", max(looks), LISTED_SECONDS, "s")
        print(f"  looked at in {max(looks) * 1000:.1f} ms at most, {held}", flush=True)
        pipelines = [load(path)[0] for path in (folder, file)]
        print(f"  same bits: {verdicts.holds('same bits', same_bits(*pipelines))}", flush=True)
        pipelines.clear()
        taken: dict[Path, list[float]] = {folder: [], file: []}
        for turn in range(rounds):
            for path in (folder, file) if turn % 2 == 0 else (file, folder):
                taken[path].append(load(path)[1])
        ratio = min(taken[file]) / min(taken[folder])
        held = verdicts.at_most("load of a file ÷ of its folder", ratio, LOADED, "×")
        print(f"  loaded in {min(taken[file]):.2f} s, folder {min(taken[folder]):.2f} s, ratio {ratio:.3f}, {held}")
    verdicts.end()


if __name__ == "__main__":
    main()
