"""Encode every picture once, on white: `python training/04_latents.py`.

Writes `latents.pt` with `latents` (pictures, 8, 16, 16) float16, in the order of `captions.json`.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from settings import AUTOENCODER, LATENTS, PICTURES, build_autoencoder, save_atomically

log = logging.getLogger("latents")


@torch.no_grad()
def main() -> None:
    """Encode all pictures and report the statistics that the denoiser relies on."""
    torch.set_num_threads(2)
    model = build_autoencoder()
    model.load_state_dict(torch.load(AUTOENCODER, weights_only=True)["model"])
    pictures = torch.from_numpy(np.load(PICTURES)).permute(0, 3, 1, 2)
    parts = []
    for chunk in pictures.split(32):
        values = chunk.float() / 255
        on_white = values[:, :3] * values[:, 3:] + (1 - values[:, 3:])
        parts.append(model.encode(on_white * 2 - 1).latents.half())
    latents = torch.cat(parts)
    values = latents.float()
    log.info("mean %.3f, deviation %.3f, largest %.1f", values.mean(), values.std(), values.abs().max())
    save_atomically({"latents": latents}, LATENTS)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
