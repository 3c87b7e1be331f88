"""All settings: typed, each with the words that the settings page shows, in the order in which that shows them.

Names are those of A1111 where it has the setting.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin, get_type_hints

from modules.drawing_settings import DrawingSettings
from modules.saving_settings import SavingSettings
from modules.setting_field import SettingField, setting


@dataclass(frozen=True)
class Settings(SavingSettings, DrawingSettings):
    """A snapshot of all settings: those of drawing, of how pictures become files, then these."""

    samples_save: bool = setting(
        True, "Saving images", "Always save all generated images", "Off: pictures are kept for some hours only."
    )
    save_incomplete_images: bool = setting(
        False,
        "Saving images",
        "Keep partial images of stopped jobs",
        "What an interrupted or skipped image had become is kept, marked as partial.",
    )
    mark_incomplete_images: bool = setting(
        True, "Saving images", "Mark partial images", "Their infotext says so, for example Partial: 12/30."
    )
    save_init_img: bool = setting(
        False,
        "Saving images",
        "Save the pictures that img2img begins with",
        "In outputs/init-images, named by what the infotext tells as Init image hash.",
    )
    results_kept_hours: int = setting(
        24, "Saving images", "Hours to keep pictures that are not saved", minimum=1, maximum=8760
    )
    add_model_name_to_info: bool = setting(True, "Infotext", "Add the model's name to the infotext")
    add_model_hash_to_info: bool = setting(True, "Infotext", "Add the model's hash to the infotext")
    add_version_to_infotext: bool = setting(True, "Infotext", "Add the program's version to the infotext")
    lora_add_hashes_to_infotext: bool = setting(
        True,
        "Infotext",
        "Add hashes of LoRAs to the infotext",
        "By them a picture's LoRAs are found where they are called otherwise.",
    )
    textual_inversion_add_hashes_to_infotext: bool = setting(
        True, "Infotext", "Add hashes of embeddings to the infotext"
    )
    live_previews_enable: bool = setting(True, "Live previews", "Show live previews")
    show_progress_every_n_steps: int = setting(
        1,
        "Live previews",
        "Preview every N steps",
        "Where steps are faster there are five previews a second. -1 shows an image only when it is complete.",
        minimum=-1,
        maximum=32,
    )
    live_previews_image_format: Literal["jpeg", "png", "webp"] = setting("jpeg", "Live previews", "Preview format")
    live_preview_max_size: int = setting(
        512, "Live previews", "Longest side of a preview, in pixels", minimum=64, maximum=2048
    )
    show_progress_type: Literal["Full", "Approx NN", "Approx cheap", "TAESD"] = setting(
        "Approx NN",
        "Live previews",
        "How previews are made",
        "Full decodes with the model's own VAE, Approx NN and TAESD with a small decoder where there is one, "
        "Approx cheap with a table of colours.",
    )
    live_preview_share_percent: int = setting(
        2,
        "Live previews",
        "Most that previews may cost, in percent of the job's time",
        "What would cost more is made with something cheaper, or less often. 0 is without limit.",
        minimum=0,
        maximum=100,
    )
    live_preview_content: Literal["Prompt", "Negative prompt", "Combined"] = setting(
        "Prompt",
        "Live previews",
        "What previews show",
        "What the prompt or the negative prompt alone would make of the image; Combined is what it becomes by both.",
    )
    show_progress_grid: bool = setting(
        True, "Live previews", "Show all images of a batch", "Off: only the first image of a batch is previewed."
    )
    queue_limit: int = setting(
        1000, "Queue", "Most jobs that wait", "More are refused. 0 is without limit.", minimum=0, maximum=100_000
    )
    queue_limit_per_owner: int = setting(
        500,
        "Queue",
        "Most jobs of one owner that wait",
        "An owner is a browser or a REST client. More are refused, also of one address that names many owners. "
        "0 is without limit.",
        minimum=0,
        maximum=100_000,
    )
    only_own_jobs: bool = setting(
        False,
        "Queue",
        "Only a job's owner may stop or change it",
        "Off: everyone who reaches the page may, and it is written down who did.",
    )
    snapshot_every_seconds: int = setting(
        30,
        "Durability",
        "Keep a snapshot of the running job every N seconds",
        "A job goes on from it after a crash. 0: only when it is paused or the engine ends.",
        minimum=0,
        maximum=86_400,
    )
    recycle_stalled_after_seconds: int = setting(
        300,
        "Durability",
        "Restart the engine after N seconds without a sign of life",
        "Counted from when a step takes longer than it can be explained. 0: never.",
        minimum=0,
        maximum=86_400,
    )
    engine_memory_limit_percent: int = setting(
        50,
        "Durability",
        "Restart the engine when its memory grew by N percent",
        "Compared with what the model itself takes; done between two jobs. 0: never.",
        minimum=0,
        maximum=1000,
    )
    jobs_kept_days: int = setting(
        0,
        "History",
        "Keep finished jobs for N days",
        "Older ones are deleted with their prompts; saved pictures stay. 0: for ever.",
        minimum=0,
        maximum=36_500,
    )
    jobs_kept_count: int = setting(
        0,
        "History",
        "Keep the last N finished jobs",
        "Those before them are deleted with their prompts, once they ended ten minutes ago; saved pictures stay. "
        "0: all.",
        minimum=0,
        maximum=1_000_000,
    )
    interrupt_after_current: bool = setting(
        False,
        "User interface",
        "Interrupt finishes the current image first",
        "Off: Interrupt stops at once, in the middle of a step.",
    )
    show_progress_in_title: bool = setting(True, "User interface", "Show the progress in the page's title")
    queue_history_shown: int = setting(
        50, "User interface", "Finished jobs shown in the queue", minimum=0, maximum=1000
    )
    theme: Literal["auto", "light", "dark"] = setting(
        "auto",
        "User interface",
        "Colours",
        "auto follows the system. The button at the top right chooses for one browser, until this is changed.",
    )


def fields_of_settings() -> tuple[SettingField, ...]:
    """Return every setting in the order of the settings page."""
    return _FIELDS


def _describe_fields() -> tuple[SettingField, ...]:
    hints = get_type_hints(Settings)
    described = []
    for one in fields(Settings):
        hint = hints[one.name]
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        described.append(
            SettingField(
                name=one.name,
                type=str if choices else hint,
                default=one.default,  # type: ignore[arg-type]  # dataclasses types it as any object
                choices=choices,
                **one.metadata,
            )
        )
    return _in_order(described)


def _in_order(described: list[SettingField]) -> tuple[SettingField, ...]:
    """Return them section by section: those of how pictures become files stand behind where those are saved at all."""
    of_files = {one.name for one in fields(SavingSettings)}
    own = [one for one in described if one.name not in of_files]
    others = [one for one in described if one.name in of_files]
    sections = list(dict.fromkeys(one.section for one in own))
    place = sections.index("Saving images") + 1
    sections[place:place] = [one for one in dict.fromkeys(one.section for one in others) if one not in sections]
    return tuple(sorted([*own, *others], key=lambda one: sections.index(one.section)))


_FIELDS = _describe_fields()
