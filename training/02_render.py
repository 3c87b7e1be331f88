"""Render every picture of the four sets at 256 x 256 pixels: `python training/02_render.py`.

Writes `pictures.npy` ((pictures, 256, 256, 4) uint8, RGBA with straight alpha) and `pictures.json`, which names the
code point and the set of each, in the same order. Vector sets are rendered at this size, not scaled up.
"""

from __future__ import annotations

import io
import json
import logging
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image
from settings import NPM, PICTURE_LIST, PICTURE_SIZE, PICTURES, WORKERS, plain

log = logging.getLogger("render")

Source = tuple[str, str, "Path | str"]  # style, plain code, file or SVG text
SVG = "http://www.w3.org/2000/svg"


def list_sources() -> Iterator[Source]:
    """Yield every picture of the four sets that is named by code points."""
    for path in sorted((NPM / "3d" / "package" / "assets").glob("*.webp")):
        yield "3d", plain(path.stem), path
    for path in sorted((NPM / "flat" / "package" / "assets").glob("*.svg")):
        yield "flat", plain(path.stem), path
    for path in sorted((NPM / "twemoji" / "package").glob("*.svg")):
        yield "twemoji", plain(path.stem), path
    ElementTree.register_namespace("", SVG)
    sprite = ElementTree.parse(NPM / "noto" / "package" / "sprites" / "all.svg").getroot()
    for child in sprite.iterfind(f"{{{SVG}}}svg"):
        yield "noto", plain(child.attrib["id"]), ElementTree.tostring(child, encoding="unicode")


def load(source: Source) -> np.ndarray:
    """Make one picture, (256, 256, 4) uint8: centred in a square, scaled with premultiplied alpha where it must be."""
    content = source[2]
    if isinstance(content, Path) and content.suffix == ".webp":
        picture = Image.open(content).convert("RGBA")
    else:
        text = content.read_text(encoding="utf-8") if isinstance(content, Path) else content
        picture = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=text, width=PICTURE_SIZE))).convert("RGBA")
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    if side != PICTURE_SIZE:
        scaled = square.convert("RGBa").resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.LANCZOS)
        square = scaled.convert("RGBA")
    return np.asarray(square)


def main() -> None:
    """Render all pictures into one array on disk."""
    sources = [source for source in list_sources() if re.fullmatch(r"[0-9a-f]+(-[0-9a-f]+)*", source[1])]
    partial = PICTURES.with_suffix(".partial")
    shape = (len(sources), PICTURE_SIZE, PICTURE_SIZE, 4)
    pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    with Pool(WORKERS) as pool:
        for index, picture in enumerate(pool.imap(load, sources, chunksize=32)):
            pictures[index] = picture
    pictures.flush()
    partial.replace(PICTURES)
    PICTURE_LIST.write_text(json.dumps([{"style": style, "code": code} for style, code, _ in sources]))
    log.info("%d pictures", len(sources))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
