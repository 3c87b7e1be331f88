"""A request with nothing left open: what the engine draws, frozen in the job's row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from modules.jobs.kinds.txt2img import Txt2ImgRequest, choose_sampler
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH, Checkpoint
from modules.jobs.version import VERSION
from modules.options import Settings

Layout = Literal["contiguous", "channels_last"]


class ResolvedTxt2Img(BaseModel):
    """All that decides the pictures of a job. The same values give the same bits on the same machine."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    cfg_scale: float
    width: int
    height: int
    sampler_name: str
    scheduler: str
    batch_size: int
    n_iter: int
    checkpoint: str
    checkpoint_hash: str
    dtype: str
    threads: int
    layout: Layout
    version: str
    save_images: bool
    save_partial: bool
    add_model_name_to_info: bool
    add_model_hash_to_info: bool
    add_version_to_infotext: bool
    mark_partial: bool = True
    environment: dict[str, str] | None = None  # what the bits depend on beside the values above; None: not known

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self.batch_size * self.n_iter

    @property
    def short_hash(self) -> str:
        """The model's hash as infotext shows it."""
        return self.checkpoint_hash[:SHORT_HASH_LENGTH]

    def seed_of(self, index: int) -> int:
        """Return the seed of the picture with this index; picture i of a batch is the one that seed + i gives alone."""
        return self.seed + index

    def picture(self, index: int) -> dict[str, object]:
        """Return what decides this one picture: its own seed, and nothing of the batch that it came in."""
        whole = self.model_dump(
            exclude={
                "batch_size",
                "n_iter",
                "save_images",
                "save_partial",
                "mark_partial",
                "environment",
                "add_model_name_to_info",
                "add_model_hash_to_info",
                "add_version_to_infotext",
            }
        )
        return whole | {"seed": self.seed_of(index)}


def resolve(
    request: Txt2ImgRequest,
    checkpoint: Checkpoint,
    settings: Settings,
    draw_seed: Callable[[], int],
    dtype: str,
    threads: int,
    layout: Layout = "contiguous",
    environment: dict[str, str] | None = None,
) -> ResolvedTxt2Img:
    """Close everything that the request leaves open. Pure but for `draw_seed`, which is called for seed -1 only.

    Raises:
        InvalidRequest: the schedule type that was sent does not go with the model's own sampler.
        ValueError: the checkpoint has no hash yet (`CheckpointCatalogue.hashed` gives it one).
    """
    if checkpoint.sha256 is None:
        raise ValueError(f"{checkpoint.name} is not hashed")
    settings = request.settings_for(settings)
    sampler_name, scheduler = choose_sampler(request, checkpoint)
    defaults = checkpoint.defaults
    save_images = request.save_images
    if save_images is None:
        save_images = settings.samples_save and not request.do_not_save_samples
    save_partial, mark_partial = settings.save_incomplete_images, settings.mark_incomplete_images
    if request.partial_images is not None:
        save_partial, mark_partial = request.partial_images != "discard", request.partial_images == "mark"
    return ResolvedTxt2Img(
        prompt=request.prompt.strip(),
        negative_prompt=request.negative_prompt.strip(),
        seed=draw_seed() if request.seed == -1 else request.seed,
        steps=defaults.steps if request.steps is None else request.steps,
        cfg_scale=defaults.cfg_scale if request.cfg_scale is None else request.cfg_scale,
        width=checkpoint.native_width if request.width is None else request.width,
        height=checkpoint.native_height if request.height is None else request.height,
        sampler_name=sampler_name,
        scheduler=scheduler,
        batch_size=request.batch_size,
        n_iter=request.n_iter,
        checkpoint=checkpoint.name,
        checkpoint_hash=checkpoint.sha256,
        dtype=dtype,
        threads=threads,
        layout=layout,
        version=VERSION,
        save_images=save_images,
        save_partial=save_partial,
        mark_partial=mark_partial,
        environment=environment,
        add_model_name_to_info=settings.add_model_name_to_info,
        add_model_hash_to_info=settings.add_model_hash_to_info,
        add_version_to_infotext=settings.add_version_to_infotext,
    )
