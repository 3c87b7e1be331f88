"""What clients may ask for in a job of any kind: A1111's fields, checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from modules.jobs.kinds import fields, files
from modules.jobs.kinds.base import Saving
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.starts import Pictures
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings


class JobRequest(BaseModel, ABC):
    """The fields that all kinds share. What it leaves open (None) is the settings' own.

    Keys that are not known are ignored, as A1111 does.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=False)

    kind: ClassVar[str]  # the name of the kind that it is of

    override_settings: fields.Overrides = Field(
        default_factory=dict, description="Settings for this job alone, such as sd_model_checkpoint."
    )
    save_images: fields.SaveImages = Field(None, description="None follows the setting samples_save.")
    do_not_save_samples: fields.DoNotSaveSamples = False
    do_not_save_grid: fields.DoNotSaveGrid = False
    send_images: fields.SendImages = True
    stop_on_disconnect: fields.StopOnDisconnect = Field(
        False, description="Interrupt the job when the client that waits for it goes away."
    )
    force_task_id: fields.TaskId = None

    @property
    @abstractmethod
    def image_count(self) -> int:
        """How many pictures the job makes."""

    @abstractmethod
    def chosen(self, catalogue: CheckpointCatalogue, settings: Settings) -> Frozen:
        """Return which files of models the job takes, for its row to keep, whatever settings say later.

        Raises:
            InvalidRequest: there is none of a name, or it does not go with the rest of the request.
            ModelError: one lacks a file.
        """

    def check_inputs(self, pictures: Pictures) -> None:
        """Check what can be told only by the pictures that the request names.

        Raises:
            InvalidRequest: with the field; they do not go with the rest of the request.
            InputGone: one is not there any more.
        """

    def check_sizes(self, pictures: Pictures) -> None:
        """Check the size alone, as far as it is told by the pictures: what is much quicker than `check_inputs`.

        Raises:
            InvalidRequest, InputGone: as `check_inputs`.
        """
        self.check_inputs(pictures)

    def settings_over(self, settings: Settings) -> Settings:
        """Return the settings with those that this request overrides."""
        overrides = {name: value for name, value in self.override_settings.items() if name != MODULES}
        return replace(settings, **overrides) if overrides else settings

    def saving(self, settings: Settings) -> Saving:
        """Return what becomes of the pictures, by the request and these settings. One that is stopped is dropped."""
        save_images = self.save_images
        if save_images is None:
            save_images = settings.samples_save and not self.do_not_save_samples
        return Saving(
            save_images=save_images,
            save_partial=False,
            mark_partial=False,
            add_model_name_to_info=settings.add_model_name_to_info,
            add_model_hash_to_info=settings.add_model_hash_to_info,
            add_version_to_infotext=settings.add_version_to_infotext,
            lora_add_hashes_to_infotext=settings.lora_add_hashes_to_infotext,
            textual_inversion_add_hashes_to_infotext=settings.textual_inversion_add_hashes_to_infotext,
            form=files.file_form(settings),
            naming=files.naming(settings, self.kind),
            save_txt=settings.save_txt,
            large_copy=files.large_copy(settings),
            grid=None if self.do_not_save_grid else files.grid(settings, self.kind),
        )
