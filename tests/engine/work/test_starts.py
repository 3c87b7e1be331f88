"""Jobs that begin with pictures, in an engine in this process: img2img, inpainting, outpainting."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.picture_encoding import encode_pixels, pixels_of
from modules.engine.work.starts import Starts
from modules.errors import ModelError
from modules.images.masks import blurred
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.starts import Input, Mask, Outpaint, SoftMask, Start
from modules.jobs.rows import Job
from tests.engine.families.test_driver import replaced
from tests.engine.own_engine import Engine
from tests.engine.tiny_upscalers import esrgan, save
from tests.engine.work.hires_jobs import Hires, Moment, ask, at, pixels
from tests.engine.work.test_sampling import embeddings, resolved

SIDE = 64
PICTURE = Image.effect_noise((SIDE, SIDE), 90).convert("RGB")
WIDE = Image.effect_noise((160, 96), 90).convert("RGB")
BRUSHED = Image.new("L", (SIDE, SIDE))
BRUSHED.paste(255, (16, 24, 40, 48))
BRUSHED_WIDE = Image.new("L", WIDE.size)
BRUSHED_WIDE.paste(255, (100, 40, 124, 64))
SOFT = SoftMask(
    schedule_bias=1, preservation_strength=0.5, transition_contrast=4, mask_influence=0, difference_threshold=0.5,
    difference_contrast=2,
)  # fmt: skip


class Drawing:
    """Jobs of one pass, half of whose steps are done, that begins with pictures."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._jobs = Hires(engine)

    def input(self, picture: Image.Image) -> Input:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return self.engine.parts.inputs.take_in(buffer.getvalue())

    def mask(self, picture: Image.Image = BRUSHED, **more: Any) -> Mask:
        return Mask(picture=self.input(picture), **more)

    def begun(self, *pictures: Image.Image, mask: Mask | None = None, **more: Any) -> Pass:
        start = Start(pictures=tuple(map(self.input, pictures)), mask=mask, **more)
        return self.first.model_copy(update={"begin": 2, "start": start})

    @property
    def first(self) -> Pass:
        return self._jobs.base.passes[0]

    def submit(self, *passes: Pass, **changes: Any) -> str:
        return self._jobs.submit(passes, **changes)

    def draw(self, *passes: Pass, **changes: Any) -> list[bytes]:
        return self._jobs.draw(passes, **changes)


@pytest.fixture
def drawing(engine: Engine) -> Drawing:
    return Drawing(engine)


def kept(drawn: np.ndarray, picture: Image.Image, mask: Image.Image, blur: float = 4) -> bool:
    """Tell whether outside of the blurred mask all is as it was, and something within is not."""
    outside = np.asarray(blurred(mask, blur, blur)) == 0
    same = drawn == np.asarray(picture)
    return bool(outside.any() and same[outside].all() and not same[np.asarray(mask) == 255].all())


def test_outside_of_the_blurred_mask_a_file_has_the_bits_of_the_input(drawing: Drawing) -> None:
    (plain,) = pixels(drawing.draw(drawing.begun(PICTURE)))
    (drawn,) = pixels(drawing.draw(drawing.begun(PICTURE, mask=drawing.mask())))
    assert kept(drawn, PICTURE, BRUSHED) and not kept(plain, PICTURE, BRUSHED)
    (other_way,) = pixels(drawing.draw(drawing.begun(PICTURE, mask=drawing.mask(inverted=True))))
    assert kept(other_way, PICTURE, BRUSHED.point(lambda value: 255 - value))
    # All of the list, from what is nearly noise alone.
    whole = drawing.begun(PICTURE, mask=drawing.mask(content="fill")).model_copy(update={"begin": 0})
    assert kept(pixels(drawing.draw(whole))[0], PICTURE, BRUSHED)


def test_only_what_is_masked_is_drawn_at_the_size_of_the_pass_and_put_back(drawing: Drawing) -> None:
    one = drawing.begun(WIDE, mask=drawing.mask(BRUSHED_WIDE, padding=8))
    job = drawing.engine.run_next() if drawing.submit(one) else None
    assert job is not None and job.status == "done"
    (image,) = drawing.engine.store.jobs.images(job.id)
    assert (image.width, image.height) == WIDE.size
    (drawn,) = pixels(drawing.engine.files(job))
    assert kept(drawn, WIDE, BRUSHED_WIDE)
    left, top, right, bottom = 90, 30, 134, 74
    outside = np.ones(drawn.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert (drawn[outside] == np.asarray(WIDE)[outside]).all()


def test_previews_of_a_region_are_those_of_the_whole_picture(drawing: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, placed = drawing.engine, list[list[tuple[int, int]]]()
    place = engine.parts.previews.place
    monkeypatch.setattr(
        engine.parts.previews, "place", lambda told: (placed.append([one.size for one in told]), place(told))
    )
    drawing.draw(drawing.begun(WIDE, mask=drawing.mask(BRUSHED_WIDE, padding=8)), batch_size=2)
    drawing.draw(drawing.begun(PICTURE, mask=drawing.mask()))
    assert placed == [[WIDE.size, WIDE.size], []]


@pytest.mark.parametrize("masked", [False, True])
def test_each_picture_of_a_batch_begins_with_its_own_and_is_the_one_that_it_gives_alone(
    drawing: Drawing, masked: bool
) -> None:
    other = PICTURE.rotate(90)
    mask = drawing.mask() if masked else None
    together = pixels(drawing.draw(drawing.begun(PICTURE, other, mask=mask), batch_size=3, n_iter=1))
    assert len(together) == 3
    seed = drawing._jobs.base.seed
    for index, picture in enumerate((PICTURE, other, PICTURE)):
        (alone,) = pixels(drawing.draw(drawing.begun(picture, mask=mask), seed=seed + index))
        assert np.abs(alone.astype(int) - together[index].astype(int)).max() <= 2, index
        assert not masked or kept(together[index], picture, BRUSHED)


def test_sides_that_are_no_multiples_are_kept_to_the_pixel(drawing: Drawing) -> None:
    picture, mask = WIDE.crop((0, 0, 61, 51)), BRUSHED.crop((0, 0, 61, 51))
    one = drawing.begun(picture, mask=drawing.mask(mask)).model_copy(update={"width": 61, "height": 51})
    assert kept(pixels(drawing.draw(one))[0], picture, mask)


def test_a_picture_grows_by_what_is_drawn_beside_it(drawing: Drawing) -> None:
    wider = {"width": SIDE + 32, "height": SIDE}
    one = drawing.begun(PICTURE, outpaint=Outpaint(right=32, blend=4, fill="mirror")).model_copy(update=wider)
    (drawn,) = pixels(drawing.draw(one))
    assert drawn.shape == (SIDE, SIDE + 32, 3)
    assert (drawn[:, : SIDE - 4] == np.asarray(PICTURE)[:, : SIDE - 4]).all()
    assert not (drawn[:, SIDE - 3 : SIDE] == np.asarray(PICTURE)[:, SIDE - 3 :]).all()


def test_latents_are_made_to_fit_where_the_picture_is_not(drawing: Drawing) -> None:
    large = PICTURE.resize((128, 96), Image.Resampling.BICUBIC)
    (drawn,) = pixels(drawing.draw(drawing.begun(large, resize_mode="latent")))
    (stretched,) = pixels(drawing.draw(drawing.begun(large)))
    assert drawn.shape == stretched.shape and not np.array_equal(drawn, stretched)
    masked = drawing.begun(large, mask=drawing.mask(BRUSHED.resize(large.size)), resize_mode="latent")
    (drawn,) = pixels(drawing.draw(masked))
    (stretched,) = pixels(drawing.draw(drawing.begun(large, mask=drawing.mask(BRUSHED.resize(large.size)))))
    assert not np.array_equal(drawn, stretched) and kept(
        drawn, large.resize((SIDE, SIDE), Image.Resampling.LANCZOS), BRUSHED
    )


def test_masked_content_counts_where_it_is_drawn_and_not_elsewhere(drawing: Drawing) -> None:
    made = {}
    for content in ("fill", "original", "latent noise", "latent nothing"):
        (drawn,) = pixels(drawing.draw(drawing.begun(PICTURE, mask=drawing.mask(content=content))))
        assert kept(drawn, PICTURE, BRUSHED)
        made[content] = drawn.tobytes()
    assert len(set(made.values())) == 4


def test_a_soft_mask_is_one_more_way_and_far_from_it_nothing_changes(drawing: Drawing) -> None:
    size = {"width": WIDE.width, "height": WIDE.height}
    masks = [drawing.mask(BRUSHED_WIDE, soft=how) for how in (None, SOFT)]
    (hard,), (soft,) = (pixels(drawing.draw(drawing.begun(WIDE, mask=mask).model_copy(update=size))) for mask in masks)
    assert not np.array_equal(hard, soft)
    assert not np.array_equal(soft[48:56, 108:116], np.asarray(WIDE)[48:56, 108:116])
    # Where the latents are those of the picture it is to be seen as it was.
    assert (soft[:, :48] == np.asarray(WIDE)[:, :48]).all()


def test_what_a_job_begins_with_is_saved_and_told_where_the_settings_say_so(drawing: Drawing) -> None:
    engine, other = drawing.engine, PICTURE.rotate(90)
    names = [drawing.input(picture).name for picture in (PICTURE, other)]
    request = {"init_images": names, "steps": 2, "width": SIDE, "height": SIDE}
    plain = engine.draw("img2img", **request)
    engine.options.update({"save_init_img": True})
    told = engine.draw("img2img", **request)
    hashes = [hashlib.md5(picture.tobytes()).hexdigest() for picture in (PICTURE, other)]
    texts = [[image.infotext for image in engine.store.jobs.images(job.id)] for job in (plain, told)]
    assert texts[1] == [
        text.replace(", Version:", f", Init image hash: {one}, Version:")
        for text, one in zip(texts[0], hashes, strict=True)
    ]
    saved = [Image.open(engine.folder.root / "outputs" / "init-images" / f"{one}.png") for one in hashes]
    assert [one.tobytes() for one in saved] == [PICTURE.tobytes(), other.tobytes()]


def test_pictures_that_are_smaller_are_enlarged_by_the_upscaler_of_the_settings(
    drawing: Drawing, models_folder: Path
) -> None:
    engine = drawing.engine
    save(esrgan(), models_folder / "ESRGAN" / "noisy.safetensors")
    small, large = (drawing.input(PICTURE.resize((side, side))).name for side in (SIDE // 2, 2 * SIDE))

    def begun(name: str, upscaler: str) -> Job:
        engine.options.update({"upscaler_for_img2img": upscaler})
        return engine.draw("img2img", init_images=[name], steps=2, width=SIDE, height=SIDE)

    def drawn(name: str, upscaler: str) -> np.ndarray:
        (one,) = pixels(engine.files(begun(name, upscaler)))
        return np.asarray(one)

    assert not np.array_equal(drawn(small, "noisy"), drawn(small, "None"))
    assert np.array_equal(drawn(large, "noisy"), drawn(large, "None"))
    error = begun(small, "nobody").error
    assert (
        error is not None and "'nobody' is not known: use one of None, Lanczos, Nearest," in error and "noisy" in error
    )


MOMENTS: tuple[Moment, ...] = (
    ("prepare", 0, 0),
    ("sample", 0, 0),
    ("sample", 0, 1),
    ("sample", 0, 2),
    ("decode", 0, 0),
)


@pytest.mark.parametrize("content", ["soft", "latent noise", "region"])
def test_pauses_at_any_moment_lose_no_bit(drawing: Drawing, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of the picture, and the noise under a mask, are made anew with the same bits."""
    engine = drawing.engine
    masks: dict[str, dict[str, Any]] = {
        "soft": {"soft": SOFT}, "latent noise": {"content": "latent noise", "rounded": False}, "region": {"padding": 4}
    }  # fmt: skip
    one = drawing.begun(PICTURE, PICTURE.rotate(180), mask=drawing.mask(**masks[content]))
    one = one.model_copy(update={"sampler_name": "DPM++ 2M SDE", "steps": 5})
    undisturbed = drawing.draw(one, batch_size=2)
    identity = drawing.submit(one, batch_size=2)
    for moment in MOMENTS:
        with monkeypatch.context() as patch:
            at(engine, moment, lambda: ask(engine, "pause", identity), patch)
            assert engine.run_next().status == "paused", moment
        assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert done.status == "done" and engine.files(done) == undisturbed


def test_a_pass_that_goes_on_knows_what_the_one_before_knew(drawing: Drawing) -> None:
    whole = drawing.begun(PICTURE, mask=drawing.mask(blur_x=0, blur_y=0))
    first = whole.model_copy(update={"end": 3})
    second = whole.model_copy(update={"start": None, "begin": 3})
    assert drawing.draw(first, second) == drawing.draw(whole)


def test_what_a_stopped_picture_had_become_lies_on_the_one_that_it_began_with(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = drawing.engine
    saving = drawing._jobs.base.saving.model_copy(update={"save_partial": True})
    identity = drawing.submit(drawing.begun(WIDE, mask=drawing.mask(BRUSHED_WIDE, padding=8)), saving=saving)
    at(engine, ("sample", 0, 1), lambda: ask(engine, "interrupt", identity), monkeypatch)
    job = engine.run_next()
    assert job.status == "interrupted"
    (image,) = engine.store.jobs.images(job.id)
    assert image.partial and (image.width, image.height) == WIDE.size
    assert kept(pixels(engine.files(job))[0], WIDE, BRUSHED_WIDE)


def test_a_job_amid_its_steps_goes_on_without_the_picture_where_nothing_of_it_is_to_stay(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, one = drawing.engine, drawing.begun(PICTURE)
    undisturbed = drawing.draw(one)
    identity = drawing.submit(one)
    with monkeypatch.context() as patch:
        at(engine, ("sample", 0, 1), lambda: ask(engine, "pause", identity), patch)
        assert engine.run_next().status == "paused"
    assert one.start is not None
    engine.parts.inputs.path_of(one.start.pictures[0].name).unlink()
    assert engine.store.control.resume(identity).accepted
    done = engine.run_next()
    assert done.status == "done" and engine.files(done) == undisturbed


@pytest.mark.parametrize("gone", ["picture", "mask"])
def test_a_picture_that_is_gone_fails_the_job_and_is_named(drawing: Drawing, gone: str) -> None:
    one = drawing.begun(PICTURE, mask=drawing.mask())
    assert one.start is not None and one.start.mask is not None
    name = one.start.pictures[0].name if gone == "picture" else one.start.mask.picture.name
    drawing.submit(one)
    drawing.engine.parts.inputs.path_of(name).unlink()
    job = drawing.engine.run_next()
    assert job.status == "failed" and name[:12] in (job.error or "")


def test_a_mask_that_covers_nothing_fails_the_job_with_words(drawing: Drawing) -> None:
    drawing.submit(drawing.begun(PICTURE, mask=drawing.mask(Image.new("L", PICTURE.size))))
    job = drawing.engine.run_next()
    assert (job.status, job.error) == (
        "failed", "The mask covers nothing: paint over what is to be drawn anew, or use none."
    )  # fmt: skip


def test_pictures_that_begin_alike_are_encoded_once(drawing: Drawing) -> None:
    asked: list[int] = []
    drawing.draw(drawing.first)
    loaded = drawing.engine.parts.model_cache.loaded
    assert loaded is not None
    hook = loaded.pipeline.vae.encoder.register_forward_pre_hook(lambda _module, _inputs: asked.append(1))
    drawing.draw(drawing.begun(PICTURE, mask=drawing.mask()), batch_size=2, n_iter=2)
    hook.remove()
    assert len(asked) == 1


# --- Models that are told of pictures --------------------------------------------------------------------------------


@pytest.fixture
def plain(load: Callable[..., LoadedModel]) -> Iterator[LoadedModel]:
    with torch.inference_mode():
        yield load("plain")


def starts_of(tmp_path: Path, start: Start | None, **changes: Any) -> tuple[Starts, ResolvedJob]:
    what = resolved(height=SIDE, steps=2)
    what = what.model_copy(update={"passes": (what.passes[0].model_copy(update={"start": start, **changes}),)})
    return Starts(what, Inputs(tmp_path).open), what


def taken_in(tmp_path: Path, picture: Image.Image) -> Input:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return Inputs(tmp_path).take_in(buffer.getvalue())


def with_channels(model: LoadedModel, channels: int) -> Any:
    made = UNet2DConditionModel.from_config({**model.denoiser.config, "in_channels": channels})
    return replaced(model.pipeline, "unet", made.eval().requires_grad_(False))


def test_a_model_for_inpainting_is_told_of_grey_where_it_is_to_draw(plain: LoadedModel, tmp_path: Path) -> None:
    picture, mask = taken_in(tmp_path, PICTURE), Mask(picture=taken_in(tmp_path, BRUSHED), blur_x=0, blur_y=0)
    with with_channels(plain, 9):
        starts, _ = starts_of(tmp_path, Start(pictures=(picture,), mask=mask))
        masked = starts.told(0, [0, 0], plain)
        all_of_it = starts_of(tmp_path, None)[0].told(0, [0, 0], plain)
        img2img = starts_of(tmp_path, Start(pictures=(picture,)))[0].told(0, [0, 0], plain)
    assert masked is not None and all_of_it is not None and img2img is not None
    assert masked.mask is not None and all_of_it.mask is not None and img2img.mask is not None
    assert masked.mask.shape == (2, 1, SIDE, SIDE) and torch.equal(
        masked.mask[1, 0] == 1, torch.tensor(np.asarray(BRUSHED) == 255)
    )
    assert bool((all_of_it.mask == 1).all()) and bool((img2img.mask == 1).all())
    assert torch.equal(img2img.latents, all_of_it.latents) and all_of_it.latents.shape == (2, 4, 8, 8)
    shown = pixels_of(PICTURE) * (1 - masked.mask[:1])
    assert torch.equal(masked.latents[:1], encode_pixels(plain, shown))
    assert starts.told(0, [0], plain) is None


def test_a_model_that_changes_pictures_needs_one_and_no_other_can_be_told_of_it(
    plain: LoadedModel, tmp_path: Path
) -> None:
    start = Start(pictures=(taken_in(tmp_path, PICTURE),))
    with with_channels(plain, 8):
        told = starts_of(tmp_path, start, image_cfg_scale=2.0)[0].told(0, [0], plain)
        with pytest.raises(ModelError, match="changes pictures: begin with one"):
            starts_of(tmp_path, None)[0].told(0, [0], plain)
    assert told is not None and told.image_guidance_scale == 2.0 and told.latents.shape == (1, 4, 8, 8)
    starts, what = starts_of(tmp_path, start.model_copy(update={"as_condition": True}))
    with pytest.raises(ModelError, match="cannot be told of a picture: begin with it instead"):
        starts.told(0, [0], plain)
    assert starts.beginning(0, [0], plain, embeddings(plain, what)) is None
