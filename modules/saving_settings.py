"""The settings of how pictures become files: their form, their names and folders, grids. Names are A1111's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modules.setting_field import setting

_FILES, _NAMES, _GRIDS = "Saving images", "Names and folders of images", "Grids"


@dataclass(frozen=True)
class SavingSettings:
    """These settings. Their sections stand behind "Saving images"."""

    samples_format: Literal["png", "jpg", "webp", "avif"] = setting(
        "png", _FILES, "File format", "A picture that a format cannot hold, or whose infotext it cannot, is a PNG."
    )
    jpeg_quality: int = setting(80, _FILES, "Quality of JPEG, WebP and AVIF", minimum=1, maximum=100)
    webp_lossless: bool = setting(False, _FILES, "WebP without loss")
    enable_pnginfo: bool = setting(
        True,
        _FILES,
        "Write infotext and settings into the files",
        "Off: files say nothing of how they were made.",
    )
    export_for_4chan: bool = setting(
        False,
        _FILES,
        "Save a JPEG beside each large picture",
        "For places that take no large files: under its name, and smaller where it has more pixels a side.",
    )
    img_downscale_threshold: float = setting(
        4.0, _FILES, "Size of a file from which it is large, in MB", minimum=0.1, maximum=1000
    )
    target_side_length: int = setting(
        4000,
        _FILES,
        "Longest side of such a JPEG, in pixels",
        "A picture with a longer one is large.",
        minimum=256,
        maximum=16_384,
    )
    save_txt: bool = setting(False, _FILES, "Save a text file with the infotext beside each picture")
    save_images_add_number: bool = setting(
        True, _NAMES, "Begin file names with a number", "Off: a name that is taken gets a number behind it."
    )
    samples_filename_pattern: str = setting(
        "[seed]",
        _NAMES,
        "Pattern of file names",
        "Such as [seed]-[prompt_spaces]; docs/infotext.md lists all.",
    )
    save_to_dirs: bool = setting(True, _NAMES, "Save images into folders by a pattern")
    directories_filename_pattern: str = setting(
        "[date]", _NAMES, "Pattern of folders", "A / in it makes folders in folders."
    )
    directories_max_prompt_words: int = setting(8, _NAMES, "Most words of [prompt_words]", minimum=1, maximum=20)
    outdir_txt2img_samples: str = setting(
        "outputs/txt2img-images",
        _NAMES,
        "Folder of txt2img",
        "Within outputs, which may be a link to elsewhere.",
        folder=True,
    )
    outdir_img2img_samples: str = setting("outputs/img2img-images", _NAMES, "Folder of img2img", folder=True)
    outdir_extras_samples: str = setting("outputs/extras-images", _NAMES, "Folder of Extras", folder=True)
    outdir_save: str = setting("outputs/saved", _NAMES, "Folder of pictures kept by Save", folder=True)
    save_write_log_csv: bool = setting(
        True, _NAMES, "Write log.csv beside pictures kept by Save", "A line with prompt, seed and so on for each."
    )
    grid_save: bool = setting(False, _GRIDS, "Save a grid of all pictures of a job")
    return_grid: bool = setting(
        False,
        _GRIDS,
        "Send REST clients the grid before the pictures",
        "As A1111 does, of jobs whose pictures are saved.",
    )
    grid_format: Literal["png", "jpg", "webp", "avif"] = setting("png", _GRIDS, "File format of grids")
    grid_only_if_multiple: bool = setting(True, _GRIDS, "No grid of a single picture")
    grid_prevent_empty_spots: bool = setting(False, _GRIDS, "Choose the rows so that no place stays empty")
    n_rows: int = setting(
        -1,
        _GRIDS,
        "Rows of a grid",
        "-1: as many as make it about square; 0: as many as the batch size.",
        minimum=-1,
        maximum=100,
    )
    font: str = setting(
        "Aileron",
        _GRIDS,
        "Font beside the pictures of a plot",
        "The path of a font's file. For letters that it, or the usual one, Aileron, lacks, this machine's are taken.",
    )
    outdir_txt2img_grids: str = setting("outputs/txt2img-grids", _GRIDS, "Folder of grids of txt2img", folder=True)
    outdir_img2img_grids: str = setting("outputs/img2img-grids", _GRIDS, "Folder of grids of img2img", folder=True)
