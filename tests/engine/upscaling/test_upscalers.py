"""Pictures become as large as they are wanted, as spandrel makes them, and are stopped between two layers."""

from pathlib import Path

import numpy as np
import pytest
import spandrel
import torch
from PIL import Image

from modules.engine.models.devices import Device
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.engine.upscaling import upscalers as upscaling
from modules.engine.upscaling.kept_networks import KeptNetworks
from modules.engine.upscaling.network import UpscalerNetwork
from modules.engine.upscaling.tiling import Bytes, Floats, Tiling, lay_out
from modules.engine.upscaling.upscalers import Upscalers
from modules.errors import Interrupted, ModelError
from modules.jobs.kinds.base import Source
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.hashes import hash_file
from modules.shared_state import State
from tests.engine.tiny_upscalers import esrgan, save

ROOT = Path(__file__).parents[3]
NO_TILES = Tiling(0, 0)


class Room:
    """A models folder, and what enlarges with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = State()
        self.cancel = Cancel(self.state)
        self.catalogue = CheckpointCatalogue([folder])
        device = Device("cpu", "CPU")
        self.cache = ModelCache(device, self.cancel)
        self.upscalers = Upscalers(device, self.cancel, self.catalogue.upscalers, self.cache)
        self.progress: list[float] = []

    def source(self, name: str) -> Source:
        file = self.catalogue.upscalers.find(name).file
        assert file is not None
        return Source(name=file.name, hash=hash_file(file.path))

    def enlarge(self, name: str, picture: Image.Image, size: tuple[int, int], tiling: Tiling = NO_TILES) -> Image.Image:
        return self.upscalers.enlarge(name, self.source(name), picture, size, self.progress.append, tiling=tiling)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    save(esrgan(), tmp_path / "ESRGAN" / "2x_tiny.safetensors")
    save(esrgan(seed=1), tmp_path / "ESRGAN" / "old.pth")
    return Room(tmp_path)


def picture(width: int = 40, height: int = 24) -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def by_spandrel(path: Path, shown: Image.Image) -> Bytes:
    weights = torch.load(path, weights_only=True) if path.suffix == ".pth" else None
    loader = spandrel.ModelLoader()
    descriptor = loader.load_from_state_dict(weights) if weights is not None else loader.load_from_file(path)
    values = torch.from_numpy(np.array(shown)).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        made = descriptor(values)[0].permute(1, 2, 0).numpy() * 255
    rounded: Bytes = np.rint(made).astype(np.uint8)
    return rounded


@pytest.mark.parametrize("name", ["2x_tiny", "old"])
def test_both_forms_of_file_give_what_spandrel_gives(room: Room, name: str) -> None:
    made = room.enlarge(name, picture(), (80, 48))
    file = room.catalogue.upscalers.find(name).file
    assert file is not None
    assert made.mode == "RGB"
    assert (np.asarray(made) == by_spandrel(file.path, picture())).all()
    assert room.progress[-1] == 1.0


def test_tiles_are_what_spandrel_makes_of_each(room: Room) -> None:
    """Away from where two of them meet; there the one fades into the other."""
    shown, tiling = picture(100, 24), Tiling(64, 8)
    made = np.asarray(room.enlarge("2x_tiny", shown, (200, 48), tiling))
    first, second = lay_out(100, 24, tiling).columns
    path = room.folder / "ESRGAN" / "2x_tiny.safetensors"
    left = by_spandrel(path, shown.crop((0, 0, first.end, 24)))
    right = by_spandrel(path, shown.crop((second.start, 0, 100, 24)))
    shared = first.end - second.start
    assert shared >= 8
    assert (made[:, : second.start * 2] == left[:, : second.start * 2]).all()
    assert (made[:, first.end * 2 :] == right[:, shared * 2 :]).all()
    assert [round(one, 3) for one in room.progress] == [0.5, 1.0, 1.0]


def test_it_runs_until_the_picture_is_large_enough_and_is_shrunk_then(room: Room, runs: list[tuple[int, int]]) -> None:
    assert room.enlarge("2x_tiny", picture(20, 10), (70, 35)).size == (70, 35)
    assert runs == [(20, 10), (40, 20)]
    assert room.enlarge("2x_tiny", picture(20, 10), (10, 5)).size == (10, 5)
    assert len(runs) == 2


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the tiles that networks were shown."""
    seen: list[tuple[int, int]] = []
    made = UpscalerNetwork.enlarge

    def watched(self: UpscalerNetwork, tile: Bytes) -> Floats:
        seen.append((tile.shape[1], tile.shape[0]))
        return made(self, tile)

    monkeypatch.setattr(UpscalerNetwork, "enlarge", watched)
    return seen


def test_what_comes_out_does_not_grow_far_beyond_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert upscaling._works((1024, 1024), (1100, 1100), 4) == [((1024, 1024), 1024**2)]
    assert upscaling._works((100, 100), (100, 100), 1) == [((100, 100), 10_000)]
    monkeypatch.setattr(upscaling, "_NEVER_TOO_LARGE", 0)
    works = upscaling._works((100, 100), (500, 500), 4)
    assert [shown for shown, _work in works] == [(100, 100), (250, 250)]


def test_what_is_transparent_stays_so(room: Room) -> None:
    shown = picture().convert("RGBA")
    shown.putalpha(Image.linear_gradient("L").resize(shown.size))
    made = room.enlarge("2x_tiny", shown, (80, 48))
    assert made.mode == "RGBA"
    alpha = shown.getchannel("A").resize((80, 48), Image.Resampling.LANCZOS)
    assert made.getchannel("A").tobytes() == alpha.tobytes()
    assert made.convert("RGB").tobytes() == room.enlarge("2x_tiny", shown.convert("RGB"), (80, 48)).tobytes()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("None", Image.Resampling.LANCZOS),
        ("Lanczos", Image.Resampling.LANCZOS),
        ("Nearest", Image.Resampling.NEAREST),
    ],
)
def test_the_plain_ones_need_no_file(room: Room, name: str, how: Image.Resampling) -> None:
    made = room.upscalers.enlarge(name, None, picture(), (70, 51), room.progress.append)
    assert made.tobytes() == picture().resize((70, 51), how).tobytes()


def test_one_that_needs_a_file_is_never_done_plainly(room: Room) -> None:
    with pytest.raises(ModelError, match="The upscaler old needs a file, which this job does not name"):
        room.upscalers.enlarge("old", None, picture(), (80, 48), room.progress.append)


def test_a_stop_is_obeyed_within_a_tile(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.enlarge("2x_tiny", picture(), (80, 48))  # It is in memory.
    checks = 0
    check = room.cancel.check_waiting

    def counted() -> None:
        nonlocal checks
        checks += 1
        if checks == 5:
            room.state.interrupted = True
        check()

    monkeypatch.setattr(room.cancel, "check_waiting", counted)
    with pytest.raises(Interrupted, match="interrupt"):
        room.enlarge("2x_tiny", picture(), (80, 48))
    assert checks == 5
    room.state.interrupted = False
    made = room.enlarge("2x_tiny", picture(), (80, 48))
    path = room.folder / "ESRGAN" / "2x_tiny.safetensors"
    assert (np.asarray(made) == by_spandrel(path, picture())).all()


def test_a_small_picture_tells_how_far_it_is(room: Room) -> None:
    seen: list[Image.Image] = []
    room.upscalers.enlarge(
        "2x_tiny", room.source("2x_tiny"), picture(100, 24), (200, 48), room.progress.append,
        tiling=Tiling(64, 8), seen=lambda one: seen.append(one.copy()),
    )  # fmt: skip
    before = picture(100, 24).convert("RGB")
    assert [one.size for one in seen] == [(100, 24)] * 2
    right = (60, 0, 100, 24)
    assert seen[0].crop(right).tobytes() == before.crop(right).tobytes()
    assert seen[0].tobytes() != before.tobytes() and seen[1].crop(right).tobytes() != before.crop(right).tobytes()


def test_when_memory_runs_out_the_tiles_become_smaller(
    room: Room, monkeypatch: pytest.MonkeyPatch, runs: list[tuple[int, int]]
) -> None:
    made = UpscalerNetwork._run

    def short(self: UpscalerNetwork, tile: Bytes) -> Floats:
        if tile.shape[1] > 40:
            raise MemoryError
        return made(self, tile)

    monkeypatch.setattr(UpscalerNetwork, "_run", short)
    assert room.enlarge("2x_tiny", picture(100, 24), (200, 48), Tiling(128, 8)).size == (200, 48)
    assert runs[0] == (100, 24) and max(side for side, _ in runs[-3:]) <= 40
    monkeypatch.setattr(UpscalerNetwork, "_run", lambda *_: exec("raise MemoryError"))
    with pytest.raises(MemoryError):
        room.enlarge("2x_tiny", picture(100, 24), (200, 48), Tiling(128, 8))


def test_the_last_two_stay_in_memory_until_that_is_short(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = KeptNetworks._load
    monkeypatch.setattr(
        KeptNetworks, "_load", lambda self, file, source: loads.append(file.name) or load(self, file, source)
    )
    for name in ("2x_tiny", "old", "2x_tiny", "old"):
        room.enlarge(name, picture(), (80, 48))
    assert loads == ["2x_tiny.safetensors", "old.pth"]
    assert len(room.upscalers.keys) == 2
    for forget in room.cache.kept_beside:
        forget()
    room.enlarge("old", picture(), (80, 48))
    assert loads[2:] == ["old.pth"]


def test_a_file_that_was_changed_or_renamed_since(room: Room) -> None:
    source = room.source("old")
    (room.folder / "ESRGAN" / "old.pth").rename(room.folder / "ESRGAN" / "new.pth")
    room.catalogue.files.hashed(room.catalogue.files.find("upscaler", "new"))
    made = room.upscalers.enlarge("old", source, picture(), (80, 48), room.progress.append)
    assert made.size == (80, 48)
    room.upscalers.forget()
    save(esrgan(seed=9), room.folder / "ESRGAN" / "old.pth")
    with pytest.raises(ModelError, match=r"old.pth was changed since this job was sent: submit it again"):
        room.upscalers.enlarge("old", source, picture(), (80, 48), room.progress.append)
    for name in ("old.pth", "new.pth"):
        (room.folder / "ESRGAN" / name).unlink()
    with pytest.raises(ModelError, match=r"old.pth is not there any more: put it back into models/ESRGAN"):
        room.upscalers.enlarge("old", source, picture(), (80, 48), room.progress.append)


def test_the_upscaler_that_comes_with_the_program_works() -> None:
    room = Room(ROOT / "models")
    flat = Image.new("RGB", (32, 32), (200, 80, 40))
    flat.paste((30, 90, 200), (8, 8, 24, 24))
    made = room.enlarge("emoji-2x", flat, (64, 64))
    difference = np.abs(np.asarray(made).astype(int) - np.asarray(flat.resize((64, 64), Image.Resampling.NEAREST)))
    assert difference.mean() < 6
    assert room.catalogue.upscalers.find("emoji-2x").scale == 2
