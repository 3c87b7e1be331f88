"""Train the LoRA "pixel-art": `OMP_NUM_THREADS=1 python training/10_lora.py --steps 800`.

The favourites are turned into pixel art of few colours and of 16 x 16 squares (a latent each: smaller ones the decoder
would round off), and captioned with "pixel art". Written to `models/Lora/pixel-art.safetensors` with the keys that
kohya's scripts made common, in fp16.
"""

from __future__ import annotations

import argparse
import logging
from functools import partial

import numpy as np
import torch
from captioning import Captioner
from diffusers.utils import convert_state_dict_to_kohya
from family import Examples, Trainer, encode, load_model
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image
from safetensors.torch import save_file
from settings import LORA, PICTURE_SIZE, PICTURES, SEED, is_toned, read_captions

log = logging.getLogger("lora")

SQUARES, COLOURS = 16, 12
RANK = 6
LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "conv1", "conv2"]


def pixelate(rgba: np.ndarray) -> torch.Tensor:
    """Turn (256, 256, 4) uint8 into pixel art on white, (3, 256, 256) in -1..1."""
    small = Image.fromarray(rgba).convert("RGBa").resize((SQUARES, SQUARES), Image.Resampling.BOX).convert("RGBA")
    colours = small.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    canvas = Image.new("RGB", small.size, "white")
    canvas.paste(colours.convert("RGB"), mask=small.getchannel("A").point(lambda value: 255 * (value > 127)))
    large = canvas.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.NEAREST)
    return torch.from_numpy(np.asarray(large).copy()).permute(2, 0, 1).float() / 127.5 - 1


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    entries, stored = read_captions(), np.load(PICTURES, mmap_mode="r")
    chosen = [i for i, entry in enumerate(entries) if entry["favourite"] and not is_toned(entry["code"])]
    captioner = Captioner(entries)
    captioner.restart(SEED)

    def word(index: int) -> str:
        return f"{captioner.draw({'kind': 'plain', 'entry': index})}, pixel art"

    pipeline = load_model()
    latents = encode(pipeline, [pixelate(np.asarray(stored[entries[index]["picture"]])) for index in chosen])
    log.info("%d pictures", len(chosen))
    pipeline.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=LAYERS, init_lora_weights="gaussian"))
    Trainer(pipeline, Examples(latents, [partial(word, i) for i in chosen]), options.rate, options.steps).run(
        options.batch
    )
    state = {f"unet.{key}": value for key, value in get_peft_model_state_dict(pipeline.unet).items()}
    half = {key: value.half().contiguous() for key, value in convert_state_dict_to_kohya(state).items()}
    LORA.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, LORA, metadata={"ss_output_name": LORA.stem, "ss_network_dim": str(RANK), "license": "Apache-2.0"})
    LORA.chmod(0o644)
    log.info("%s: %.2f MB", LORA, LORA.stat().st_size / 1e6)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
