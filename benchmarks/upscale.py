"""A 4x ESRGAN of full size with random weights, tile by tile, against a bare loop over spandrel.

`python -m benchmarks.upscale [side] [features] [blocks]`; by itself 1024, 64 and 23. Budgets: 1.05 of the bare loop's
time, a look for a stop at least every second, and memory that goes by the tile: what a picture four times as large
takes more is no more than that picture itself, three times over. A tile of the one and a tile of the other take turns,
so that both see the same machine. It takes ten minutes on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import spandrel
import torch
from PIL import Image
from safetensors.torch import save_file
from spandrel.architectures.ESRGAN import ESRGAN

from benchmarks.verdict import Verdicts
from modules.engine.models.devices import Device
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.engine.upscaling.tiling import Tiling
from modules.engine.upscaling.upscalers import Upscalers
from modules.jobs.kinds.base import Source
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.hashes import hash_file
from modules.shared_state import State

SIDE, FEATURES, BLOCKS = 1024, 64, 23
SCALE, TILE, OVERLAP = 4, 192, 8
RATIO = 1.05
SECONDS_BETWEEN_LOOKS = 1.0
TIMES_THE_PICTURE = 3.0


class Room:
    """A models folder with one upscaler, and what enlarges with it; `longest` is the time between two looks."""

    def __init__(self, folder: Path, features: int, blocks: int) -> None:
        torch.manual_seed(0)
        self.path = folder / "ESRGAN" / "full.safetensors"
        self.path.parent.mkdir(parents=True)
        network = ESRGAN(num_filters=features, num_blocks=blocks, scale=SCALE)
        save_file({name: weight.contiguous() for name, weight in network.state_dict().items()}, self.path)
        self.cancel = Cancel(State())
        device, catalogue = Device("cpu", "CPU"), CheckpointCatalogue([folder])
        self.upscalers = Upscalers(device, self.cancel, catalogue.upscalers, ModelCache(device, self.cancel))
        self.source = Source(name="full.safetensors", hash=hash_file(self.path))
        self.longest, self._looked_at = 0.0, time.perf_counter()
        check = self.cancel.check_waiting

        def watched() -> None:
            now = time.perf_counter()
            self.longest, self._looked_at = max(self.longest, now - self._looked_at), now
            check()

        self.cancel.check_waiting = watched  # type: ignore[method-assign]

    def enlarge(self, picture: Image.Image, progress: Any) -> Image.Image:
        """Enlarge as the engine does."""
        size = (picture.width * SCALE, picture.height * SCALE)
        return self.upscalers.enlarge("full", self.source, picture, size, progress, tiling=Tiling(TILE, OVERLAP))

    def looked(self) -> None:
        """Begin anew to count the time until the next look."""
        self._looked_at = time.perf_counter()


def noise(side: int) -> Image.Image:
    """Return a picture that is nothing but noise."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


def bare(path: Path, picture: Image.Image) -> Iterator[float]:
    """Enlarge tile by tile, as A1111 cuts them, each put where it belongs; yield how long each took."""
    descriptor = spandrel.ModelLoader().load_from_file(path)
    pixels = np.asarray(picture)
    made = np.zeros((picture.height * SCALE, picture.width * SCALE, 3), np.uint8)
    starts = _starts(picture.width)
    for top in starts:
        for left in starts:
            began = time.perf_counter()
            tile = torch.from_numpy(pixels[top : top + TILE, left : left + TILE].copy())
            values = descriptor(tile.permute(2, 0, 1)[None].float() / 255)
            shown = (values[0].permute(1, 2, 0) * 255).round().byte().numpy()
            place = made[top * SCALE : (top + TILE) * SCALE, left * SCALE : (left + TILE) * SCALE]
            place[:] = shown[: place.shape[0], : place.shape[1]]
            yield time.perf_counter() - began


def _starts(side: int) -> list[int]:
    if side <= TILE:
        return [0]
    count = -(-(side - OVERLAP) // (TILE - OVERLAP))
    return [round(number * (side - TILE) / (count - 1)) for number in range(count)]


def compare(room: Room, side: int) -> tuple[float, float]:
    """Return how long the engine took and how long the bare loop, a tile of each by turns."""
    picture = noise(side)
    room.enlarge(noise(32), lambda fraction: None)  # It is in memory, and has worked.
    other = bare(room.path, picture)
    of_bare: list[float] = []
    began = time.perf_counter()

    def take_turns(_fraction: float) -> None:
        if (took := next(other, None)) is not None:
            of_bare.append(took)
        room.looked()

    room.longest = 0.0
    room.looked()
    room.enlarge(picture, take_turns)
    whole = time.perf_counter() - began
    between = sum(of_bare)
    of_bare += list(other)
    return whole - between, sum(of_bare)


def peak(room: Room, side: int) -> int:
    """Return by how many bytes memory grew at most while a picture was enlarged."""
    picture, process, ended = noise(side), psutil.Process(), threading.Event()
    before: int = process.memory_info().rss
    highest = before

    def watch() -> None:
        nonlocal highest
        while not ended.wait(0.002):
            highest = max(highest, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    room.enlarge(picture, lambda fraction: None)
    ended.set()
    thread.join()
    return highest - before


def main() -> None:
    """Measure and judge."""
    side, features, blocks = (*map(int, sys.argv[1:]), *(SIDE, FEATURES, BLOCKS)[len(sys.argv) - 1 :])
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as folder:
        light = Room(Path(folder) / "light", 16, 1)
        light.enlarge(noise(TILE), lambda fraction: None)
        # Both are cut into tiles of almost one size.
        small, large = (peak(light, one) for one in (SIDE // 2, SIDE))
        more = (SIDE * SCALE) ** 2 * 3 * 3 / 4
        print(f"memory: {small / 2**20:.0f} MB for {SIDE // 2}, {large / 2**20:.0f} MB for {SIDE} pixels a side")
        times = (large - small) / more
        print(verdicts.at_most("memory of a larger picture by its size", times, TIMES_THE_PICTURE, ""))
        room = Room(Path(folder) / "full", features, blocks)
        ours, theirs = compare(room, side)
        print(f"{side}² by {SCALE}: {ours:.1f} s, bare {theirs:.1f} s, ratio {ours / theirs:.3f}")
        print(verdicts.at_most("time by that of the bare loop", ours / theirs, RATIO, ""))
        print(f"longest time between two looks for a stop: {room.longest:.3f} s")
        print(verdicts.at_most("time between two looks", room.longest, SECONDS_BETWEEN_LOOKS, "s"))
    verdicts.end()


if __name__ == "__main__":
    main()
