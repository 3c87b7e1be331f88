"""A models folder as people have it, to be tested and looked at: files with pictures and notes beside them."""

import io
import json
from pathlib import Path

from PIL import Image, ImageDraw

from tests.jobs.made_models import make_model, safetensors_bytes

_NAMES = (
    "dreamshaper_8", "realisticVisionV60B1_v51VAE", "v1-5-pruned-emaonly", "anything-v5", "deliberate_v3",
    "sd_xl_base_1.0", "juggernautXL_v9Rdphoto2Lightning", "ponyDiffusionV6XL_v6StartWithThisOne", "animagine-xl-4.0",
    "flux1-dev-fp8", "flux1-schnell", "chroma-unlocked-v35", "z_image_turbo_bf16", "qwen_image_fp8_e4m3fn",
    "sd3.5_large", "lumina_2",
    "pixel-art-diffusion", "inkpunk-diffusion-v2", "openjourney-v4", "epicrealism_naturalSinRC1VAE",
)  # fmt: skip


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


def make_library(models: Path, count: int = 30) -> Path:
    """Write `count` models with next to nothing in them into `models/Stable-diffusion`; most have what people keep.

    Two of three are folders in diffusers layout, a third of the files is cut short, some lie in a folder of their own.
    """
    place = models / "Stable-diffusion"
    for number in range(count):
        name = _NAMES[number % len(_NAMES)] + (f"_{number // len(_NAMES)}" if number >= len(_NAMES) else "")
        if number % 3:
            make_model(place / name, weights=bytes([number % 256]) * 16)
        else:
            folder = place / "anime" if number % 2 else place
            folder.mkdir(parents=True, exist_ok=True)
            data = safetensors_bytes(bytes([number % 256]) * 16)
            (folder / f"{name}.safetensors").write_bytes(data[:-9] if number % 9 == 0 else data)
        beside = (place / "anime" if number % 6 == 3 else place) / name
        if number % 5:
            kind = ("PNG", "JPEG", "WEBP")[number % 3]
            ending = (".png", ".preview.jpg", ".preview.webp")[number % 3]
            beside.with_name(name + ending).write_bytes(picture(number * 37 % 256, kind=kind))
        if number % 4 == 0:
            words = {
                "description": f"Made for tests, number {number}.",
                "activation text": "ink splash, bold outline, limited palette" if number % 8 else "glow",
                "notes": "Best at 25 steps, CFG 6. Works well with a plain background and few words.",
            }
            beside.with_name(name + ".json").write_text(json.dumps(words))
    return place
