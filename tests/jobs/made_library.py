"""A models folder as people have it, to be tested and looked at: models with pictures and notes beside them."""

import io
import json
from collections.abc import Mapping
from math import prod
from pathlib import Path

from PIL import Image, ImageDraw

from tests.jobs import made_transformers, made_unets
from tests.jobs.made_files import Shape, write_file
from tests.jobs.made_models import make_model, safetensors_bytes

_LARGE_TENSOR = 50_000  # elements
# Of these more than the first side tells what a model is.
_SIGNS = (
    "blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "blocks.4.1.transformer_blocks.0.attn2.to_k.weight",
    "label_emb.0.0.weight", "img_in.weight", "decoder.conv_in.weight",
)  # fmt: skip
_LORA = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
_LORAS = {"ink-splash": 768, "add_detail": 768, "papercut-xl": 2048}  # by the width of the words of its family
# What each is, as people call such files; None is a model in diffusers layout.
_MODELS: Mapping[str, Mapping[str, Shape] | None] = {
    "dreamshaper_8": made_unets.sd1(),
    "realisticVisionV60B1_v51VAE": made_unets.sd1(),
    "v1-5-pruned-emaonly": made_unets.sd1(),
    "anything-v5": None,
    "sd_xl_base_1.0": made_unets.sdxl(),
    "juggernautXL_v9Rdphoto2Lightning": made_unets.sdxl(),
    "ponyDiffusionV6XL_v6StartWithThisOne": made_unets.sdxl(),
    "animagine-xl-4.0": made_unets.sdxl(),
    "sd_xl_refiner_1.0": made_unets.refiner(),
    "v2-1_768-ema-pruned": made_unets.sd2(),
    "flux1-dev-all-in-one": made_transformers.all_in_one_flux(),
    "sd3.5_large": made_transformers.all_in_one_sd3(38, normed=True),
    "pixel-art-diffusion": None,
    "inkpunk-diffusion-v2": None,
    "openjourney-v4": made_unets.sd1(),
}


def picture(hue: int, side: int = 512, kind: str = "PNG") -> bytes:
    """Return a picture that is told from others by its hue, 0 to 255."""
    made = Image.new("HSV", (side, side * 5 // 4), (hue, 90, 180))
    draw = ImageDraw.Draw(made)
    for ring in range(6, 0, -1):
        reach = side * ring // 14
        centre = (side // 2 + hue % 60 - 30, side * 5 // 8)
        draw.ellipse(
            (centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach),
            fill=((hue + 24 * ring) % 256, 130, 130 + 18 * ring),
        )
    buffer = io.BytesIO()
    made.convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def make_library(models: Path, count: int = 30, whole: bool = False) -> Path:
    """Write `count` models into `models/Stable-diffusion`, and some LoRAs and a VAE; most have what people keep.

    Their weights are holes in the files, which take no space, and are of full size if they are to be `whole`: then a
    program hashes them for minutes. Else most of their tensors are narrow. One of ten is cut short; some lie in a
    folder.
    """
    place = models / "Stable-diffusion"
    names = list(_MODELS)
    for number in range(count):
        name = names[number % len(names)] + (f"_{number // len(names)}" if number >= len(names) else "")
        folder = place / "favourites" if number % 6 == 5 else place
        shapes = _MODELS[names[number % len(names)]]
        if shapes is None:
            make_model(place / name, weights=bytes([number % 256]) * 16)
            folder = place
        else:
            file = write_file(folder / f"{name}.safetensors", shapes if whole else _small(shapes))
            if number % 10 == 8:
                with file.open("r+b") as data:
                    data.truncate(file.stat().st_size - 900)
        _write_beside(folder / name, number)
    for number, (name, width) in enumerate(_LORAS.items()):
        write_file(models / "Lora" / f"{name}.safetensors", {_LORA: (16, width)})
        _write_beside(models / "Lora" / name, number * 4 + 16)
    (models / "VAE").mkdir(exist_ok=True)
    (models / "VAE" / "vae-ft-mse-840000.safetensors").write_bytes(safetensors_bytes())
    return place


def _small(shapes: Mapping[str, Shape]) -> Mapping[str, Shape]:
    """Return tensors of some megabytes in all that tell what a model is: the large ones have their first side alone."""
    return {
        name: shape if prod(shape) < _LARGE_TENSOR or name.endswith(_SIGNS) else (shape[0], *(1 for _ in shape[1:]))
        for name, shape in shapes.items()
    }


def _write_beside(path: Path, number: int) -> None:
    """Write a picture and notes, where this one has such."""
    if number % 5:
        kind, ending = (("PNG", ".png"), ("JPEG", ".preview.jpg"), ("WEBP", ".preview.webp"))[number % 3]
        path.with_name(path.name + ending).write_bytes(picture(number * 37 % 256, kind=kind))
    if number % 4 == 0:
        words = {
            "description": f"Made for tests, number {number}.",
            "activation text": "ink splash, bold outline, limited palette" if number % 8 else "glow",
            "notes": "Best at 25 steps, CFG 6. Works well with a plain background and few words.",
        }
        path.with_name(path.name + ".json").write_text(json.dumps(words))
