"""The settings: typed, each with the words that the settings page shows, kept in `settings.json`.

Names are those of A1111 where it has the setting. The file holds what was chosen, so a default can change later; keys
that this version does not know are kept in it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from modules.errors import InvalidRequest, StorageError
from modules.paths import locked, set_aside, write_atomically
from modules.setting_field import Needs, SettingField
from modules.settings_file import read_settings, stamp_of


def _setting(
    default: object,
    section: str,
    label: str,
    help: str = "",
    minimum: int | None = None,
    maximum: int | None = None,
    needs: Needs = "nothing",
) -> Any:
    words = {"section": section, "label": label, "help": help, "minimum": minimum, "maximum": maximum, "needs": needs}
    return field(default=default, metadata=words)


@dataclass(frozen=True)
class Settings:
    """A snapshot of all settings."""

    sd_model_checkpoint: str = _setting(
        "emoji", "Models", "Checkpoint", "The model that draws when a request names none."
    )
    sd_vae: str = _setting(
        "Automatic",
        "Models",
        "VAE",
        "What turns latents into pictures. Automatic: the one beside the checkpoint that has its name, else its own; "
        "None: its own; or the name of a file in models/VAE.",
    )
    CLIP_stop_at_last_layers: int = _setting(
        1,
        "Models",
        "Clip skip",
        "Read prompts with an earlier layer of CLIP: 2 for many anime models. For Stable Diffusion 1 only.",
        minimum=1,
        maximum=12,
    )
    auto_vae_precision: bool = _setting(
        True,
        "Models",
        "Decode once more in float32 where the VAE gives no numbers",
        "Half precision is too small for some VAEs, as the first one of SDXL. Off: such a picture fails.",
    )
    torch_dtype: Literal["auto", "float32", "bfloat16", "float16"] = _setting(
        "auto",
        "Models",
        "Number format",
        "auto picks what the device does best; on a CPU the faster of float32 and bfloat16, measured once for each "
        "kind of large model and kept.",
        needs="engine",
    )
    torch_threads: int = _setting(
        0,
        "Models",
        "CPU threads",
        "0 lets the program choose: all cores, or half of them for small models.",
        minimum=0,
        maximum=256,
        needs="engine",
    )
    sd_checkpoints_limit: int = _setting(
        8,
        "Models",
        "Most models kept in memory",
        "Who goes back to one of them has it at once. 1: only the one that draws.",
        minimum=1,
        maximum=100,
    )
    kept_models_percent: int = _setting(
        50,
        "Models",
        "Most of the memory that kept models may take, in percent",
        "Those that were not used for longest leave first, also where less is free.",
        minimum=1,
        maximum=100,
    )
    hub_downloads: bool = _setting(
        False,
        "Models",
        "Allow downloads from the Hugging Face Hub",
        "The one thing that leaves this machine: huggingface.co is asked for models that you name in the Models tab.",
    )
    samples_save: bool = _setting(
        True, "Saving images", "Always save all generated images", "Off: pictures are kept for some hours only."
    )
    save_incomplete_images: bool = _setting(
        False,
        "Saving images",
        "Keep partial images of stopped jobs",
        "What an interrupted or skipped image had become is kept, marked as partial.",
    )
    mark_incomplete_images: bool = _setting(
        True, "Saving images", "Mark partial images", "Their infotext says so, for example Partial: 12/30."
    )
    results_kept_hours: int = _setting(
        24, "Saving images", "Hours to keep pictures that are not saved", minimum=1, maximum=8760
    )
    add_model_name_to_info: bool = _setting(True, "Infotext", "Add the model's name to the infotext")
    add_model_hash_to_info: bool = _setting(True, "Infotext", "Add the model's hash to the infotext")
    add_version_to_infotext: bool = _setting(True, "Infotext", "Add the program's version to the infotext")
    live_previews_enable: bool = _setting(True, "Live previews", "Show live previews")
    show_progress_every_n_steps: int = _setting(
        1,
        "Live previews",
        "Preview every N steps",
        "Where steps are faster there are five previews a second. -1 shows an image only when it is complete.",
        minimum=-1,
        maximum=32,
    )
    live_previews_image_format: Literal["jpeg", "png", "webp"] = _setting("jpeg", "Live previews", "Preview format")
    live_preview_max_size: int = _setting(
        512, "Live previews", "Longest side of a preview, in pixels", minimum=64, maximum=2048
    )
    show_progress_type: Literal["Full", "Approx NN", "Approx cheap", "TAESD"] = _setting(
        "Approx NN",
        "Live previews",
        "How previews are made",
        "Full decodes with the model's own VAE, Approx NN and TAESD with a small decoder where there is one, "
        "Approx cheap with a table of colours.",
    )
    live_preview_share_percent: int = _setting(
        2,
        "Live previews",
        "Most that previews may cost, in percent of the job's time",
        "What would cost more is made with something cheaper, or less often. 0 is without limit.",
        minimum=0,
        maximum=100,
    )
    live_preview_content: Literal["Prompt", "Negative prompt", "Combined"] = _setting(
        "Prompt",
        "Live previews",
        "What previews show",
        "What the prompt or the negative prompt alone would make of the image; Combined is what it becomes by both.",
    )
    show_progress_grid: bool = _setting(
        True, "Live previews", "Show all images of a batch", "Off: only the first image of a batch is previewed."
    )
    queue_limit: int = _setting(
        1000, "Queue", "Most jobs that wait", "More are refused. 0 is without limit.", minimum=0, maximum=100_000
    )
    queue_limit_per_owner: int = _setting(
        500,
        "Queue",
        "Most jobs of one owner that wait",
        "An owner is a browser or a REST client. More are refused, also of one address that names many owners. "
        "0 is without limit.",
        minimum=0,
        maximum=100_000,
    )
    only_own_jobs: bool = _setting(
        False,
        "Queue",
        "Only a job's owner may stop or change it",
        "Off: everyone who reaches the page may, and it is written down who did.",
    )
    snapshot_every_seconds: int = _setting(
        30,
        "Durability",
        "Keep a snapshot of the running job every N seconds",
        "A job goes on from it after a crash. 0: only when it is paused or the engine ends.",
        minimum=0,
        maximum=86_400,
    )
    recycle_stalled_after_seconds: int = _setting(
        300,
        "Durability",
        "Restart the engine after N seconds without a sign of life",
        "Counted from when a step takes longer than it can be explained. 0: never.",
        minimum=0,
        maximum=86_400,
    )
    engine_memory_limit_percent: int = _setting(
        50,
        "Durability",
        "Restart the engine when its memory grew by N percent",
        "Compared with what the model itself takes; done between two jobs. 0: never.",
        minimum=0,
        maximum=1000,
    )
    jobs_kept_days: int = _setting(
        0,
        "History",
        "Keep finished jobs for N days",
        "Older ones are deleted with their prompts; saved pictures stay. 0: for ever.",
        minimum=0,
        maximum=36_500,
    )
    jobs_kept_count: int = _setting(
        0,
        "History",
        "Keep the last N finished jobs",
        "Those before them are deleted with their prompts, once they ended ten minutes ago; saved pictures stay. "
        "0: all.",
        minimum=0,
        maximum=1_000_000,
    )
    interrupt_after_current: bool = _setting(
        False,
        "User interface",
        "Interrupt finishes the current image first",
        "Off: Interrupt stops at once, in the middle of a step.",
    )
    show_progress_in_title: bool = _setting(True, "User interface", "Show the progress in the page's title")
    queue_history_shown: int = _setting(
        50, "User interface", "Finished jobs shown in the queue", minimum=0, maximum=1000
    )
    theme: Literal["auto", "light", "dark"] = _setting(
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
    return tuple(described)


_FIELDS = _describe_fields()
_FIELD_BY_NAME = {one.name: one for one in _FIELDS}


class Options:
    """The settings of a data folder, shared by several threads and processes.

    `values` is the snapshot to read; it changes with `update`, `refresh` and `load` only. `notices` holds what the user
    should be told about the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[str] = []
        self._lock = threading.RLock()
        self._values = Settings()
        self._stamp: tuple[int, int, int] | None = None
        self.load()

    @property
    def values(self) -> Settings:
        """The current settings, as one consistent snapshot."""
        return self._values

    def load(self) -> None:
        """Read the file. A corrupt one is set aside and told in `notices`; it never keeps the program from starting."""
        with self._lock:
            try:
                self._adopt(read_settings(self.path))
            except ValueError:
                self._set_aside_if_corrupt()
            except StorageError as error:
                self._tell(f"{error} The settings are the defaults until then.")

    def refresh(self) -> bool:
        """Read the file again if another process changed it; tell whether a setting changed."""
        with self._lock:
            before = self._values
            if stamp_of(self.path) != self._stamp:
                self.load()
            return self._values != before

    def update(self, changes: Mapping[str, object]) -> tuple[str, ...]:
        """Change settings, all or none, and return the names of those that are now different.

        Keys that are no settings are ignored.

        Raises:
            InvalidRequest: a value is not possible; nothing was changed.
            StorageError: the file cannot be written; nothing was changed.
        """
        checked: dict[str, Any] = {
            name: _FIELD_BY_NAME[name].check(value) for name, value in changes.items() if name in _FIELD_BY_NAME
        }
        with self._lock:
            with locked(self.path):
                try:
                    stored = read_settings(self.path)
                except ValueError:
                    self._set_aside()
                    stored = {}
                before = self._values_in(stored, tell=False)
                after = replace(before, **checked)
                changed = tuple(name for name in checked if getattr(before, name) != getattr(after, name))
                if changed:
                    stored.update({name: checked[name] for name in changed})
                    text = json.dumps(stored, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
                    write_atomically(self.path, text.encode(), sole_writer=True)
                self._adopt(stored)
            return changed

    def _adopt(self, stored: Mapping[str, object]) -> None:
        self._values = self._values_in(stored, tell=True)
        self._stamp = stamp_of(self.path)

    def _values_in(self, stored: Mapping[str, object], tell: bool) -> Settings:
        """Build the settings that a file holds; a value that is not possible gives way to the default."""
        values: dict[str, Any] = {}
        for one in _FIELDS:
            if one.name not in stored:
                continue
            try:
                values[one.name] = one.check(stored[one.name])
            except InvalidRequest as error:
                if tell:
                    self._tell(f"{self.path.name}: {error} The default, {one.default!r}, is used until then.")
        return Settings(**values)

    def _set_aside_if_corrupt(self) -> None:
        """Under the file's lock, so that two processes that both saw it corrupt do not move a good new one away."""
        try:
            with locked(self.path):
                try:
                    self._adopt(read_settings(self.path))
                except ValueError:
                    self._set_aside()
                    self._adopt({})
        except StorageError as error:
            self._adopt({})
            self._tell(f"{self.path.name} is corrupt and cannot be moved: {error} The defaults are used.")

    def _set_aside(self) -> None:
        aside = set_aside(self.path)
        self._tell(f"{self.path.name} was corrupt and is now {aside.name}: all settings are back at their defaults.")

    def _tell(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)
