"""A job of the kind extras with nothing left open: pictures that are enlarged and mended, none is drawn."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.base import Enlarging, Resolved, Source
from modules.jobs.kinds.files import in_file
from modules.jobs.kinds.folder_pictures import FolderPicture
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.starts import Input


class MendedFaces(Frozen):
    """How faces are mended: by the restorer's file, on what `detector` finds, seen through by its visibility.

    `weight` is CodeFormer's: 0 is as much as it can, 1 as little.
    """

    restorer: str
    model: Source
    detector: Source
    visibility: float
    weight: float = 0.0


class ResolvedExtras(Resolved):
    """A job that enlarges and mends pictures, one after the other.

    With one upscaler or two, of which the second shows through by `second_visibility`; with none sizes stay. They
    become so many times larger (`upscale_by`), or cover `width` and `height`, with `crop` cut to exactly that. Faces
    are mended before that, or with `upscale_first` after it. An upscaler sees so many pixels a side at a time (`tile`,
    0: all), of which so many overlap.
    """

    pictures: tuple[Input | FolderPicture, ...]
    enlarging: tuple[Enlarging, ...] = ()
    second_visibility: float = 0.0
    upscale_by: float | None = None
    width: int = 512
    height: int = 512
    crop: bool = True
    upscale_first: bool = False
    faces: tuple[MendedFaces, ...] = ()
    tile: int = 192
    tile_overlap: int = 8
    threads: int = 1

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return len(self.pictures)

    def size_of(self, index: int) -> tuple[int, int]:
        """Return width and height of a finished picture."""
        if self.enlarging and self.upscale_by is None and self.crop:
            return self.width, self.height
        return self.enlarged_size_of(index)

    def enlarged_size_of(self, index: int) -> tuple[int, int]:
        """Return the size to which a picture is enlarged, before it is cut."""
        picture = self.pictures[index]
        return enlarged_size(
            picture.width, picture.height, bool(self.enlarging), self.upscale_by, self.width, self.height
        )


def enlarged_size(
    width: int, height: int, enlarged: bool, by: float | None, to_width: int, to_height: int
) -> tuple[int, int]:
    """Return what becomes of a size: so many times larger, or as large as is needed to cover another."""
    if not enlarged:
        return width, height
    if by is not None:
        return max(1, int(width * by)), max(1, int(height * by))
    times = max(to_width / width, to_height / height)
    return max(to_width, round(width * times)), max(to_height, round(height * times))


def in_picture(resolved: ResolvedExtras, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes. Under one name, since no request for a drawing has these values."""
    picture = resolved.pictures[index]
    return {
        "extras": {
            "picture": picture.name,
            "stamp": picture.stamp if isinstance(picture, FolderPicture) else None,
            "size": list(resolved.size_of(index)),
            "upscalers": [[one.upscaler, None if one.model is None else one.model.hash] for one in resolved.enlarging],
            "second_visibility": resolved.second_visibility,
            "upscale_first": resolved.upscale_first,
            "faces": [[one.restorer, one.model.hash, one.visibility, one.weight] for one in resolved.faces],
            "tile": [resolved.tile, resolved.tile_overlap],
            "threads": resolved.threads,
            "version": resolved.version,
            **in_file(resolved.saving.form),
        }
    }


def in_infotext(resolved: ResolvedExtras, index: int) -> dict[str, Any]:
    """Return the pairs that A1111 writes."""
    pairs: dict[str, Any] = {}
    if resolved.enlarging:
        if resolved.upscale_by is not None:
            pairs["Postprocess upscale by"] = resolved.upscale_by
        else:
            pairs["Postprocess upscale to"] = f"{resolved.width}x{resolved.height}"
            pairs["Postprocess crop to"] = f"{resolved.width}x{resolved.height}" if resolved.crop else None
        for name, one in zip(("Postprocess upscaler", "Postprocess upscaler 2"), resolved.enlarging, strict=False):
            pairs[name] = one.upscaler
        if len(resolved.enlarging) > 1:
            pairs["Postprocess upscaler 2 visibility"] = resolved.second_visibility
    for face in resolved.faces:
        pairs[f"{face.restorer} visibility"] = face.visibility
        if face.restorer == "CodeFormer":
            pairs["CodeFormer weight"] = face.weight
    return pairs


def told_of(resolved: ResolvedExtras) -> dict[str, Any]:
    """Return what events tell: sizes and names, no picture."""
    width, height = resolved.size_of(0)
    return {
        "pictures": resolved.image_count,
        "width": width,
        "height": height,
        "upscalers": [one.upscaler for one in resolved.enlarging],
        "faces": [one.restorer for one in resolved.faces],
        "tile": resolved.tile,
        "tile_overlap": resolved.tile_overlap,
        "threads": resolved.threads,
        "version": resolved.version,
        "environment": resolved.environment,
        **resolved.saving.told(),
    }
