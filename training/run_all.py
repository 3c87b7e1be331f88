"""Run every stage in order, going on where the last run stopped: `OMP_NUM_THREADS=1 python training/run_all.py`.

A stage that is done is passed over; one that was stopped resumes. Each runs in a process of its own, with this one's
priority. `--skip-decoder` leaves the last sharpening of the decoder for later.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from settings import CAPTIONS, DENOISER, PICTURE_LIST, POOL, PREVIEW_DECODER, ROOT, read_autoencoder_state

log = logging.getLogger("run_all")


@dataclass(frozen=True)
class Stage:
    """One command, and how to tell that it need not run."""

    command: str
    done: Callable[[], bool]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint, or nothing."""
    return torch.load(path, weights_only=True, map_location="cpu", mmap=True) if path.exists() else {}


def autoencoder_at(key: str, steps: int) -> bool:
    """Tell whether a stage of the autoencoder has come to `steps`, or was closed by baking."""
    state = read_autoencoder_state()
    return bool(state.get(key, 0) >= steps or (key == "joint_steps" and state.get("baked")))


def list_stages(options: argparse.Namespace) -> list[Stage]:
    """Return all stages in order."""
    joint, denoiser, decoder = options.joint_steps, options.denoiser_steps, options.decoder_steps
    stages = [
        Stage("01_fetch.py", CAPTIONS.exists),
        Stage("02_render.py", PICTURE_LIST.exists),
        Stage("03_captions.py", CAPTIONS.exists),
        Stage(
            f"04_autoencoder.py joint --steps {joint} --rate {options.joint_rate:g}",
            lambda: autoencoder_at("joint_steps", joint),
        ),
        Stage("04_autoencoder.py bake", lambda: bool(read_autoencoder_state().get("baked"))),
        Stage(f"05_pool.py originals --count {options.originals}", (POOL / "originals.pt").exists),
        Stage("05_pool.py halves", (POOL / "halves.pt").exists),
        Stage(f"05_pool.py composed --seed 1 --count {options.composed}", (POOL / "composed-1.pt").exists),
        Stage(
            f"06_denoiser.py --steps {denoiser}", lambda: bool(read_checkpoint(DENOISER).get("steps", 0) >= denoiser)
        ),
        Stage(f"04_autoencoder.py decoder --steps {decoder}", lambda: autoencoder_at("decoder_steps", decoder)),
        Stage("12_preview_decoder.py", PREVIEW_DECODER.exists),
        Stage("07_export.py", lambda: False),
    ]
    return [stage for stage in stages if not (options.skip_decoder and " decoder " in stage.command)]


def main() -> None:
    """Run what is not done; stop at the first stage that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joint-steps", type=int, default=5000)
    parser.add_argument("--joint-rate", type=float, default=7e-4)
    parser.add_argument("--denoiser-steps", type=int, default=20_000)
    parser.add_argument("--decoder-steps", type=int, default=4000)
    parser.add_argument("--composed", type=int, default=12_000)
    parser.add_argument("--originals", type=int, default=0, help="0: all; 7,000: all but most forms with a skin tone")
    parser.add_argument("--skip-decoder", action="store_true")
    options = parser.parse_args()
    for stage in list_stages(options):
        if stage.done():
            log.info("done before: %s", stage.command)
            continue
        log.info("runs: %s", stage.command)
        script, *arguments = stage.command.split()
        subprocess.run([sys.executable, str(ROOT / script), *arguments], check=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
