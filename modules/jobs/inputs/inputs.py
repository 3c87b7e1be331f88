"""The pictures that jobs start from: files in `data/inputs/`, each named by the SHA-256 of its bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import struct
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from PIL import Image

from modules.errors import InputGone, InvalidRequest, StorageError
from modules.images.picture_info import infotext_of
from modules.jobs.inputs.decoding import check_size, read_picture, write_png
from modules.jobs.kinds.starts import Input
from modules.jobs.lenient import show
from modules.paths import locked, write_atomically

# Asked before a new file of so many bytes is written; raises if it may not be.
MayStore = Callable[[int], object]

NAME = re.compile(r"[0-9a-f]{64}\.png")
# Only one picture of more pixels than this is decoded at a time, however many are sent.
_LARGE_PIXELS = 16_000_000
# A PNG's signature and its first chunk: width, height, bits a channel, how pixels are stored, and three zeros.
_HEADER = struct.Struct(">8sI4sIIBBBBB")
_START = (b"\x89PNG\r\n\x1a\n", 13, b"IHDR")
_RGB, _RGBA = 2, 6
_AFTER_HEADER = 33  # bytes: where the second chunk begins
_TEMPORARY = ".tmp"


class Inputs:
    """The folder of inputs. All processes may use it at once; every method may wait for the disk.

    A file is written once and never changed. It goes when no job refers to it and nobody asked for it of late.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._large = threading.Lock()

    def take_in(self, data: bytes | bytearray, field: str | None = None, may_store: MayStore | None = None) -> Input:
        """Keep a picture that somebody sent, as a PNG of ours, and return what it is called from then on.

        Of what its file says only the infotext stays. One that is there already is stored no second time, and
        `may_store` is not asked.

        Raises:
            InvalidRequest: it cannot be used; it names `field` and the remedy.
            StorageError: the disk refuses.
        """
        with contextlib.ExitStack() as one_at_a_time:

            def wait_if_large(pixels: int) -> None:
                if pixels > _LARGE_PIXELS:
                    one_at_a_time.enter_context(self._large)

            image = read_picture(data, field, wait_if_large)
            size = image.size
            png = write_png(image, infotext_of(bytes(data)))
        return self._keep(png, size, may_store)

    def adopt(self, path: Path, field: str | None = None, may_store: MayStore | None = None) -> Input:
        """Keep a picture that a job made, byte for byte; one that is not as jobs make them as if it had been sent.

        A copy: whoever paints over his output later does not change what another job starts from.

        Raises:
            InputGone: it is not there any more.
            InvalidRequest: it cannot be used; it names `field` and the remedy.
            StorageError: the disk refuses.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise InputGone(f"{path.name} is gone: it was deleted. Choose another picture.") from error
        except OSError as error:
            raise StorageError.from_os_error(path, error) from error
        size = _size_of_plain_png(data)
        if size is None:
            return self.take_in(data, field, may_store)
        check_size(*size, field)
        return self._keep(data, size, may_store)

    def find(self, name: str) -> Input:
        """Return the input of this name, with its size, and keep it for another while.

        Raises:
            InvalidRequest: that is no name of an input.
            InputGone: it is not there any more.
        """
        path = self.path_of(name)
        try:
            with self._locked():
                with path.open("rb") as file:
                    size = _size_of_plain_png(file.read(_AFTER_HEADER))
                os.utime(path)
        except OSError as error:
            raise gone(name) from error
        if size is None:
            raise gone(name)
        return Input(name=name, width=size[0], height=size[1])

    def read(self, name: str) -> bytes:
        """Return the file of an input.

        Raises:
            InvalidRequest: that is no name of an input.
            InputGone: it is not there any more, or not what it was.
        """
        path = self.path_of(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise gone(name) from error
        if _name_of(data) != name:
            raise InputGone(f"The picture {name} was changed on the disk: choose it again.")
        return data

    def open(self, input: Input) -> Image.Image:
        """Return the picture, decoded, as RGB, or as RGBA if any of it is transparent.

        Raises:
            InputGone: it is not there any more, or not what it was.
        """
        data = self.read(input.name)
        try:
            return read_picture(data, None)
        except InvalidRequest as error:
            raise InputGone(f"The picture {input.name} cannot be used any more. {error}") from error

    def infotext(self, name: str) -> str:
        """Return how an input was made, as its file tells it; "" where that does not.

        Raises:
            InvalidRequest: that is no name of an input.
            InputGone: it is not there any more, or not what it was.
        """
        return infotext_of(self.read(name))

    def path_of(self, name: str) -> Path:
        """Return where the file of an input is, or would be.

        Raises:
            InvalidRequest: that is no name of an input.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise InvalidRequest(f"{show(name)} is no name of an input: POST /sdapi/v1/inputs gives a picture one.")
        return self.folder / name

    def sweep(self, needed: Callable[[], Collection[str]], before: float) -> int:
        """Remove the inputs that are not `needed` and that nobody asked for since `before`, and return how many.

        `before` is in seconds since the epoch. `needed` is asked only if there are any that old.

        Raises:
            StorageError: the folder does not allow it.
        """
        try:
            old = [path for path in self._files() if path.stat().st_mtime < before]
            if not old:
                return 0
            kept, removed = needed(), 0
            for path in old:
                # A request may name it at this very moment: then it has become new again.
                with self._locked():
                    if path.name not in kept and path.stat().st_mtime < before:
                        path.unlink()
                        removed += 1
        except FileNotFoundError:  # another process removes them too
            return 0
        except OSError as error:
            raise StorageError.from_os_error(self.folder, error) from error
        return removed

    def _keep(self, png: bytes, size: tuple[int, int], may_store: MayStore | None) -> Input:
        name = _name_of(png)
        path = self.folder / name
        with self._locked():
            try:
                known = path.stat().st_size == len(png)
                if known:
                    os.utime(path)
            except OSError:
                known = False
            if not known:
                if may_store is not None:
                    may_store(len(png))
                write_atomically(path, png)
        return Input(name=name, width=size[0], height=size[1])

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        return locked(self.folder)

    def _files(self) -> Iterator[Path]:
        """Yield the inputs, and what a process that was killed has left of one."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if NAME.fullmatch(path.name) or path.name.endswith(_TEMPORARY):
                yield path


def gone(name: str) -> InputGone:
    """Return the error of an input that is not there any more."""
    return InputGone(
        f"The picture {name} that this starts from is gone: it was deleted, or kept for a day only, as no job needed "
        "it. Choose it again."
    )


def _name_of(png: bytes) -> str:
    return f"{hashlib.sha256(png).hexdigest()}.png"


def _size_of_plain_png(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG of 8 bits a channel, RGB or RGBA, not interlaced; None: it is something else."""
    if len(data) < _HEADER.size:
        return None
    signature, length, chunk, width, height, bits, colours, _, _, interlaced = _HEADER.unpack_from(data)
    plain = bits == 8 and colours in (_RGB, _RGBA) and not interlaced
    return (width, height) if (signature, length, chunk) == _START and plain else None
