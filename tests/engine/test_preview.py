"""Previews: the newest one, in the model's colours, off the sampling thread, and never in the way."""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from PIL import Image

from modules.engine.denoised import Step
from modules.engine.preview import LatentColours, Previews, picture_of_latents, preview_size
from modules.options import Settings
from modules.shared_state import Preview, State

COLOURS = LatentColours(np.eye(4, 3, dtype=np.float32), np.array([0, 0, 0.5], np.float32))


def step_of(value: float, channels: int = 4) -> Step:
    latents = torch.full((2, channels, 8, 8), value)
    return Step(latents, torch.zeros_like(latents), 0.0, "epsilon", exploding=True)


class Desk:
    """A preview thread on a state of its own; `seen` is what other processes would get."""

    def __init__(self, **settings: object) -> None:
        self.state = State()
        self.seen: list[Preview] = []
        self.state.preview_observer = self.seen.append
        self.token = self.state.begin("job")
        self.settings = Settings(**settings)  # type: ignore[arg-type]
        self.previews = Previews(self.state, lambda: self.settings)
        self.previews.start()

    def offer(self, done: int, step: Step | None = None, token: int | None = None) -> None:
        self.previews.offer_step(
            self.token if token is None else token, 3, done, step or step_of(0.5), COLOURS, (64, 64)
        )

    def wait_for(self, count: int) -> None:
        ends_at = time.monotonic() + 10
        while len(self.seen) < count and time.monotonic() < ends_at:
            time.sleep(0.002)
        assert len(self.seen) == count


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**settings: object) -> Desk:
        made.append(Desk(**settings))
        return made[-1]

    yield make
    for one in made:
        one.previews.close()


def test_colours_are_the_latents_times_the_models_factors() -> None:
    latents = torch.zeros(1, 4, 8, 8)
    latents[:, 0], latents[:, 1] = 1.0, -1.0
    picture = picture_of_latents(latents, COLOURS, (64, 32))
    assert picture.size == (64, 32)
    assert picture.getpixel((30, 15)) == (255, 0, 191)


def test_a_model_without_colours_is_shown_in_those_of_its_family_or_in_grey(caplog: pytest.LogCaptureFixture) -> None:
    family = ((1.0, 0.0, 0.0),) * 4
    own = {"latent_rgb_factors": [[0, 1, 0]] * 4, "latent_rgb_bias": [0, 0, 0]}
    found = LatentColours.of_model(own, family, 4)
    assert found is not None and found.factors[0].tolist() == [0, 1, 0]
    of_family = LatentColours.of_model(None, family, 4)
    assert of_family is not None and of_family.factors[0].tolist() == [1, 0, 0]
    assert LatentColours.of_model(None, family, 8) is None
    for damaged in ({}, {"latent_rgb_factors": "x"}, {"latent_rgb_factors": [[1, 2]]}):
        assert LatentColours.of_model(damaged, family, 8) is None
    assert len(caplog.records) == 3
    grey = np.asarray(picture_of_latents(torch.randn(1, 8, 8, 8), None, (8, 8)))
    assert (grey[..., 0] == grey[..., 1]).all() and grey.std() > 10


def test_a_preview_reaches_the_state_with_job_image_and_step(desk: Callable[..., Desk]) -> None:
    one = desk(live_preview_max_size=32)
    one.offer(2)
    one.wait_for(1)
    seen = one.seen[0]
    assert (seen.job, seen.image, seen.step, seen.media_type) == ("job", 3, 2, "image/jpeg")
    with Image.open(io.BytesIO(seen.data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (32, 32))
    assert one.state.current_image is not None


@pytest.mark.parametrize(("image_format", "media_type"), [("png", "image/png"), ("webp", "image/webp")])
def test_the_format_is_a_setting(desk: Callable[..., Desk], image_format: str, media_type: str) -> None:
    one = desk(live_previews_image_format=image_format)
    one.offer(1)
    one.wait_for(1)
    assert one.seen[0].media_type == media_type


def test_which_steps_are_shown_is_a_setting(desk: Callable[..., Desk]) -> None:
    third, complete_only, none = (
        desk(show_progress_every_n_steps=3),
        desk(show_progress_every_n_steps=-1),
        desk(live_previews_enable=False),
    )
    for number in (1, 2, 3):
        for one in (third, complete_only, none):
            one.offer(number)
    third.wait_for(1)
    assert third.seen[0].step == 3
    for one in (complete_only, none):
        one.previews.offer_picture(one.token, 0, 4, Image.new("RGB", (64, 64)))
    complete_only.wait_for(1)
    assert complete_only.seen[0].step == 4
    assert none.seen == []


def test_the_newest_wins_and_offering_never_waits(desk: Callable[..., Desk]) -> None:
    one = desk()
    busy, go_on = threading.Event(), threading.Event()

    class Slow(Step):
        def denoised(self, image: int | None = None) -> torch.Tensor:
            busy.set()
            go_on.wait(10)
            return super().denoised(image)

    plain = step_of(0.5)
    one.offer(1, Slow(plain.sample, plain.model_output, 0.0, "epsilon", True))
    assert busy.wait(10)
    began = time.monotonic()
    for number in range(2, 100):
        one.offer(number)
    assert time.monotonic() - began < 0.5
    go_on.set()
    one.wait_for(2)
    time.sleep(0.05)
    assert [seen.step for seen in one.seen] == [1, 99]


def test_a_preview_of_the_job_before_is_dropped(desk: Callable[..., Desk]) -> None:
    one = desk()
    old = one.token
    one.token = one.state.begin("next")
    one.offer(1, token=old)
    time.sleep(0.1)
    one.offer(2)
    one.wait_for(1)
    assert one.seen[0].job == "next"


def test_a_preview_that_fails_is_told_once_a_job_and_harms_nothing(
    desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    one = desk()
    with caplog.at_level(logging.WARNING):
        for number in range(1, 4):
            one.offer(number, step_of(0.5, channels=5))
            time.sleep(0.03)
        one.offer(9)
        one.wait_for(1)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "A preview could not be made (the job goes on)"
    ]
    assert one.seen[0].step == 9


def test_previews_are_never_larger_than_the_picture_or_the_setting() -> None:
    assert preview_size(1024, 512, 512) == (512, 256)
    assert preview_size(128, 64, 512) == (128, 64)
