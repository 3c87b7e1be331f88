"""Write the pipeline that the program loads: `python training/07_export.py` (`--untrained` for random weights).

The folder is written beside the old one and swapped in, so a reader sees the old model or the new one. Weights are
stored as fp16 safetensors; the averaged (EMA) weights are the ones exported.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from settings import (
    DENOISER,
    EXPORT,
    LATENT_SIZE,
    PICTURE_SIZE,
    POOL,
    PREVIEW_DECODER,
    ROOT,
    SEED,
    TOKENIZER,
    build_autoencoder,
    build_text_encoder,
    build_unet,
    load_autoencoder,
)
from symbols import write_symbols
from transformers import CLIPTokenizer
from words import write_words

log = logging.getLogger("export")


def build_scheduler() -> DDIMScheduler:
    """Make the scheduler as trained: v-prediction, zero terminal SNR, trailing spacing."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=0,
    )


def build_pipeline(untrained: bool) -> StableDiffusionPipeline:
    """Assemble the pipeline in fp32 from the checkpoints, or from random weights."""
    torch.manual_seed(SEED)
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    vae, unet = build_autoencoder() if untrained else load_autoencoder(), build_unet()
    text_encoder = build_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    if not untrained:
        averaged = torch.load(DENOISER, weights_only=True, map_location="cpu")["averaged"]
        unet.load_state_dict(averaged["unet"])
        text_encoder.load_state_dict(averaged["text_encoder"])
    return StableDiffusionPipeline(
        vae=vae,
        unet=unet,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@torch.no_grad()
def fit_preview(pipeline: StableDiffusionPipeline, count: int = 256) -> dict[str, Any]:
    """Fit RGB in -1..1 as a linear function of the latents, by least squares over latents of the pool."""
    parts = [torch.load(path, weights_only=True)["latents"] for path in sorted(POOL.glob("*.pt"))]
    latents = torch.cat(parts)
    latents = latents[:: max(1, len(latents) // count)][:count].float()
    decoded = torch.cat([pipeline.vae.decode(part).sample.clamp(-1, 1) for part in latents.split(8)])
    truth = torch.nn.functional.avg_pool2d(decoded, PICTURE_SIZE // LATENT_SIZE)
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    solution = torch.linalg.lstsq(rows, truth.permute(0, 2, 3, 1).flatten(0, 2)).solution
    factors, bias = solution[:-1], solution[-1]
    return {
        "latent_rgb_factors": [[round(v, 5) for v in row] for row in factors.tolist()],
        "latent_rgb_bias": [round(v, 5) for v in bias.tolist()],
    }


def tidy(folder: Path) -> None:
    """Make the folder one that a plain `from_pretrained` draws with, and all files readable.

    `AutoencoderTiny` writes a key that it does not read back, and transformers would load the text encoder in the
    half precision that it is stored in, while diffusers loads the rest in float32.
    """
    tiny = {"block_out_channels": None}
    changes = {"vae": tiny, PREVIEW_DECODER.name: tiny, "text_encoder": {"dtype": "float32"}}
    for component, change in changes.items():
        path = folder / component / "config.json"
        if not path.exists():
            continue
        config = {**json.loads(path.read_text(encoding="utf-8")), **change}
        config = {key: value for key, value in config.items() if key not in change or value is not None}
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)


def swap_in(folder: Path, target: Path) -> None:
    """Put a finished folder in the place of the old one."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Export, with the model card, the settings that suit the model, and the preview matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--target", type=Path, default=EXPORT)
    options = parser.parse_args()
    pipeline = build_pipeline(options.untrained)
    preview = None if options.untrained else fit_preview(pipeline)
    target: Path = options.target
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.with_name(f".{target.name}.new")
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder, safe_serialization=True)
    if PREVIEW_DECODER.exists() and not options.untrained:
        shutil.copytree(PREVIEW_DECODER, folder / PREVIEW_DECODER.name)
    tidy(folder)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(TOKENIZER / name, folder / "tokenizer" / name)
    if preview:
        (folder / "preview.json").write_text(json.dumps(preview, indent=1) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "model_card.md", folder / "README.md")
    shutil.copy(ROOT / "defaults.json", folder / "defaults.json")
    write_symbols(folder)
    write_words(folder)
    swap_in(folder, target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    log.info("%s: %.1f MB", target, size / 1e6)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
