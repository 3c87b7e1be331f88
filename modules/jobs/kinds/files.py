"""How the pictures of a job become files: their form, their names, what stands beside them."""

from __future__ import annotations

from typing import Any, Literal

from modules.jobs.kinds.frozen import Frozen
from modules.saving_settings import SavingSettings

_MEGABYTE = 1 << 20

Form = Literal["png", "jpg", "webp", "avif"]


class FileForm(Frozen):
    """The form of a picture's file. `quality` (1 to 100) and `lossless` are of those that lose something.

    Without `texts` it says nothing of how it was made.
    """

    form: Form = "png"
    quality: int = 80
    lossless: bool = False
    texts: bool = True


class LargeCopy(Frozen):
    """A JPEG beside a picture whose file has more bytes than `over_bytes`, or which has more pixels than `side` a side.

    Of such a one it is made smaller.
    """

    over_bytes: int
    side: int
    form: FileForm


class Naming(Frozen):
    """Where pictures are saved: by A1111's patterns, within the data folder.

    `folder` None is the usual one of the job's kind. `folders` is the pattern of those within it, "" for none;
    `prompt_words` is how many [prompt_words] has at most.
    """

    folder: str | None = None
    folders: str = "[date]"
    name: str = "[seed]"
    numbered: bool = True
    prompt_words: int = 8


class Grid(Frozen):
    """A picture of all pictures of a job: in so many `rows` (-1: about square, 0: as many as the batch size)."""

    form: FileForm = FileForm()
    folder: str | None = None
    rows: int = -1
    only_if_multiple: bool = True
    no_empty_spots: bool = False


def file_form(settings: SavingSettings) -> FileForm:
    """Return the form that settings ask for; what does not matter to it is as always."""
    usual = FileForm(texts=settings.enable_pnginfo)
    if settings.samples_format == "png":
        return usual
    return _lossy(settings.samples_format, settings)


def large_copy(settings: SavingSettings) -> LargeCopy | None:
    """Return the copies of large pictures that settings ask for; None: none."""
    if not settings.export_for_4chan:
        return None
    form = FileForm(form="jpg", quality=settings.jpeg_quality, texts=settings.enable_pnginfo)
    over_bytes = round(settings.img_downscale_threshold * _MEGABYTE)
    return LargeCopy(over_bytes=over_bytes, side=settings.target_side_length, form=form)


def in_file(form: FileForm) -> dict[str, Any]:
    """Return what decides a file's bytes beside its picture, under the settings' names; nothing for a PNG as always."""
    values: dict[str, Any] = {}
    if form.form != "png":
        values |= {"samples_format": form.form, "jpeg_quality": form.quality}
    return values | ({"webp_lossless": True} if form.lossless else {})


def naming(settings: SavingSettings, kind: str) -> Naming:
    """Return where a job of this kind is saved."""
    folder = getattr(settings, f"outdir_{kind}_samples", None)
    return Naming(
        folder=folder if folder != f"outputs/{kind}-images" else None,
        folders=settings.directories_filename_pattern if settings.save_to_dirs else "",
        name=settings.samples_filename_pattern,
        numbered=settings.save_images_add_number,
        prompt_words=settings.directories_max_prompt_words,
    )


def grid(settings: SavingSettings, kind: str) -> Grid | None:
    """Return the grid that is saved of a job, as settings ask for; None: none."""
    return grid_layout(settings, kind) if settings.grid_save else None


def grid_layout(settings: SavingSettings, kind: str) -> Grid:
    """Return the grid of a job as settings have it, whether it is saved or not."""
    form = FileForm(texts=settings.enable_pnginfo)
    return Grid(
        form=form if settings.grid_format == "png" else _lossy(settings.grid_format, settings),
        folder=getattr(settings, f"outdir_{kind}_grids", None),
        rows=settings.n_rows,
        only_if_multiple=settings.grid_only_if_multiple,
        no_empty_spots=settings.grid_prevent_empty_spots,
    )


def _lossy(form: Form, settings: SavingSettings) -> FileForm:
    lossless = settings.webp_lossless and form == "webp"
    return FileForm(form=form, quality=settings.jpeg_quality, lossless=lossless, texts=settings.enable_pnginfo)
