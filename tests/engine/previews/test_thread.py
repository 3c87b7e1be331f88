"""Previews: the newest one, within the budget, off the sampling thread, and never in the way."""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.previews.methods import Method, PreviewMethods
from modules.engine.previews.thread import Previews
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Planned, parts_of
from modules.images.placing import Placing
from modules.jobs.kinds.base import Pass
from modules.options import Settings
from modules.paths import ROOT
from modules.shared_state import Preview, State
from tests.engine.conftest import Engine
from tests.engine.moments import at_step

PASS = Pass(width=64, height=64, steps=4, sampler_name="Euler", scheduler="Automatic", cfg_scale=7.0)


def until(what: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not what():
        assert time.monotonic() < ends_at
        time.sleep(0.002)


def latents_of(value: float = 0.5, channels: int = 4, batch: int = 1) -> torch.Tensor:
    return torch.full((batch, channels, 8, 8), value)


class Desk:
    """A preview thread on a state of its own; `seen` is what other processes would get, `told` the progress."""

    def __init__(self, model: LoadedModel, **settings: object) -> None:
        self.state = State()
        self.seen: list[Preview] = []
        self.told: list[Any] = []
        self.state.preview_observer = self.seen.append
        self.settings = Settings(**{"live_preview_share_percent": 0, **settings})  # type: ignore[arg-type]
        self.previews = Previews(self.state, lambda: self.settings)
        self.previews.start()
        self.progress = JobProgress("job", self.told.append)
        self.progress.plan(parts_of(Planned([PASS], [([0], [0])], False)))
        self.model = model
        self.begin("job")

    def begin(self, job: str) -> None:
        self.token = self.state.begin(job)
        self.state.image_index = 3
        self.previews.begin_job(self.token, self.model, self.progress, 1)

    def offer(self, done: int, latents: Any = None) -> None:
        """Do what the engine does after a step."""
        self.state.current_latent = latents_of() if latents is None else latents
        self.state.sampling_step = done
        self.previews.step_done()

    def wait_for(self, count: int) -> None:
        ends_at = time.monotonic() + 30
        while len(self.seen) < count and time.monotonic() < ends_at:
            time.sleep(0.002)
        assert len(self.seen) == count

    def waiting(self) -> bool:
        """Tell whether a preview waits to be made."""
        return self.previews._stepped

    def methods(self) -> PreviewMethods:
        """Return what this job's previews are made with."""
        assert self.previews._job is not None
        return self.previews._job.methods

    def how(self) -> tuple[str, str | None]:
        """Return what the page is told of the way in which previews are made."""
        self.progress.enter("load")
        preview = self.told[-1]["preview"] or {"method": "", "reason": None}
        return preview["method"], preview["reason"]


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


@pytest.fixture
def desk(plain: LoadedModel) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**settings: object) -> Desk:
        made.append(Desk(plain, **settings))
        return made[-1]

    yield make
    for one in made:
        one.previews.close()


def test_a_preview_reaches_the_state_with_job_image_and_step(desk: Callable[..., Desk]) -> None:
    one = desk(live_preview_max_size=32)
    one.offer(2)
    one.wait_for(1)
    seen = one.seen[0]
    assert (seen.job, seen.image, seen.step, seen.media_type) == ("job", 3, 2, "image/jpeg")
    with Image.open(io.BytesIO(seen.data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (32, 32))
    assert one.state.current_image is not None
    assert one.how() == ("linear", None)


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
        one.state.sampling_steps = 4
        one.previews.show_picture(0, Image.new("RGB", (64, 64)))
    complete_only.wait_for(1)
    assert complete_only.seen[0].step == 4
    assert none.seen == []


def test_a_thread_that_rests_is_woken_by_the_first_step_alone(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk()
    one.offer(1)
    until(lambda: one.previews._rest_until > 0)
    one.previews._rest_until = float("inf")
    woken: list[int] = []
    notify = one.previews._came.notify
    with monkeypatch.context() as patched:
        patched.setattr(one.previews._came, "notify", lambda: woken.append(1) or notify())
        for number in range(2, 10):
            one.offer(number)
    assert len(woken) == 1
    one.previews._rest_until = 0.0
    until(lambda: one.seen[-1].step == 9)


def test_a_batch_is_shown_as_a_grid_or_by_its_first_image(desk: Callable[..., Desk]) -> None:
    grid, first = desk(), desk(show_progress_grid=False)
    for one in (grid, first):
        one.offer(1, latents_of(batch=3))
        one.wait_for(1)
    with Image.open(io.BytesIO(grid.seen[0].data)) as picture:
        assert picture.size == (128, 128)  # two by two, of which one place is empty
        pixels = picture.convert("L")
        assert pixels.getpixel((10, 10)) != 0
        assert pixels.getpixel((110, 110)) == 0
    with Image.open(io.BytesIO(first.seen[0].data)) as picture:
        assert picture.size == (64, 64)


def test_a_grid_is_no_larger_than_the_setting(desk: Callable[..., Desk]) -> None:
    one = desk(live_preview_max_size=64)
    one.offer(1, latents_of(batch=4))
    one.wait_for(1)
    with Image.open(io.BytesIO(one.seen[0].data)) as picture:
        assert picture.size == (64, 64)


class Slow:
    """Latents whose preview takes as long as the test wants: it begins with a look at one of them."""

    def __init__(self, busy: threading.Event, go_on: threading.Event) -> None:
        self._events = (busy, go_on)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: Any) -> torch.Tensor:
        busy, go_on = self._events
        busy.set()
        go_on.wait(30)
        return latents_of()[place]


def test_the_newest_wins_and_offering_never_waits(desk: Callable[..., Desk]) -> None:
    one = desk()
    busy, go_on = threading.Event(), threading.Event()
    one.offer(1, Slow(busy, go_on))
    assert busy.wait(30)
    for number in range(2, 100):
        one.offer(number)  # would wait for ever if it waited
    go_on.set()
    one.wait_for(2)
    one.offer(100)
    one.wait_for(3)
    assert [seen.step for seen in one.seen] == [1, 99, 100]


def test_previews_rest_until_the_budget_has_room_again_and_the_newest_is_made_then(desk: Callable[..., Desk]) -> None:
    one = desk(live_preview_share_percent=1)
    one.offer(1)
    one.wait_for(1)
    ends_at = time.monotonic() + 30
    while one.previews._worked == 0:  # what it cost is counted after it was shown
        assert time.monotonic() < ends_at
        time.sleep(0.002)
    one.previews._rest_until = time.monotonic() + 2
    for number in range(2, 6):
        one.offer(number)
    one.wait_for(2)
    assert one.seen[1].step == 5


def test_what_waits_is_dropped_when_its_job_ends(desk: Callable[..., Desk]) -> None:
    one = desk()
    one.previews._rest_until = time.monotonic() + 1000
    one.offer(1)
    assert one.waiting()
    one.state.end()
    ends_at = time.monotonic() + 30
    while one.waiting() and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert not one.waiting()
    assert one.seen == []


def test_a_preview_of_the_job_before_is_dropped(desk: Callable[..., Desk]) -> None:
    one = desk()
    busy, go_on = threading.Event(), threading.Event()
    one.offer(1, Slow(busy, go_on))
    assert busy.wait(30)
    one.begin("next")
    go_on.set()
    one.offer(2)
    one.wait_for(1)
    assert one.seen[0].job == "next"


def test_a_preview_that_fails_is_told_once_a_job_and_harms_nothing(
    desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    one = desk()
    with caplog.at_level(logging.WARNING):
        for number in range(1, 3):
            one.offer(number, latents_of(channels=5))
            until(lambda: not one.waiting() and not one.state._decoding.locked())
        one.offer(9)
        one.wait_for(1)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "A preview could not be decoded (the job goes on)"
    ]
    assert one.seen[0].step == 9


def test_a_decoder_that_fails_gives_way_to_the_next_method(
    desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(show_progress_type="Full")
    asked: list[str] = []
    methods = one.methods()
    picture = methods.picture

    def fails(method: Method, *rest: Any) -> Image.Image:
        asked.append(method)
        if method == "full":
            raise RuntimeError("out of memory")
        return picture(method, *rest)

    monkeypatch.setattr(methods, "picture", fails)
    number = 0
    ends_at = time.monotonic() + 30
    while "full" not in asked or len(one.seen) < 4:
        assert time.monotonic() < ends_at
        number += 1
        one.offer(number)
        time.sleep(0.01)
    assert asked.count("full") == 1
    assert len(caplog.records) == 1
    assert one.how() == ("linear", "A full preview failed.")


def test_a_full_preview_is_the_vae_and_climbs_as_soon_as_a_step_was_timed(desk: Callable[..., Desk]) -> None:
    one = desk(show_progress_type="Full")
    for number in range(1, 5):
        one.offer(number)
        one.wait_for(number)
    assert one.how() == ("full", None)


def test_what_costs_too_much_is_made_with_something_cheaper_and_said(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(show_progress_type="Full", live_preview_share_percent=1)
    methods = one.methods()
    picture = methods.picture

    def works_long(method: Method, *rest: Any) -> Image.Image:
        ends_at = time.thread_time() + (0.05 if method == "full" else 0.0)
        while time.thread_time() < ends_at:
            pass
        return picture(method, *rest)

    monkeypatch.setattr(methods, "picture", works_long)
    number = 0
    while not (reason := one.how()[1]):
        number += 1
        one.offer(number)
        until(lambda: not one.waiting())
    assert one.how()[0] == "linear"
    assert reason.startswith("A full preview costs ") and "a second may cost 1 % for previews" in reason


def test_previews_that_are_off_are_said_to_be(desk: Callable[..., Desk]) -> None:
    one = desk(live_previews_enable=False)
    assert one.how() == ("off", None)


def test_the_noticeboard_makes_previews_itself_in_the_engine(engine: Engine) -> None:
    """A1111's contract: the callback stores the latents, whoever asks the State gets a picture of them."""
    engine.parts.previews.close()  # Nobody asks but this test.
    state, told = engine.state, []
    asked: list[tuple[Any, ...]] = []

    def ask(*names: str) -> None:
        for name in names:
            before = state.id_live_preview
            getattr(state, name)()
            asked.append((name, state.id_live_preview - before, state.preview))

    at_step(engine, 1, lambda: told.append(state.current_latent))
    at_step(engine, 2, lambda: ask("set_current_image", "set_current_image", "do_set_current_image"), image=1)
    job = engine.draw(steps=3, n_iter=2)
    assert job.status == "done"
    assert told[0].shape == (1, 4, 8, 8)
    assert [(name, made) for name, made, _preview in asked] == [
        ("set_current_image", 1), ("set_current_image", 0), ("do_set_current_image", 1),
    ]  # fmt: skip
    assert all((seen.job, seen.image, seen.step, seen.media_type) == (job.id, 1, 2, "image/jpeg")
               for _name, _made, seen in asked)  # fmt: skip
    assert state.current_image is not None and state.current_image.size == (64, 64)
    assert state.current_latent is None


def test_the_embedded_model_shows_clean_previews_by_default(tmp_path: Path) -> None:
    """Steps of some ten milliseconds: the small decoder after each would be over the budget, by time it is not."""
    drawing = Engine(tmp_path / "data", ROOT / "models")
    try:
        drawing.options.update({"sd_model_checkpoint": "emoji"})
        drawing.draw(steps=4)
        job = drawing.draw(prompt="a red heart", steps=12)
        ways = [value["preview"] for value in drawing.values("progress") if value and value["preview"]]
    finally:
        drawing.close()
    assert job.status == "done"
    assert ways and all(way == {"method": "small", "reason": None} for way in ways)


def test_a_region_is_shown_in_its_place_on_the_whole_picture(desk: Callable[..., Desk]) -> None:
    whole, over = Image.new("RGB", (128, 64), "blue"), Image.new("L", (128, 64))
    over.paste(255, (96, 0, 128, 32))
    one = desk(live_preview_max_size=64, live_previews_image_format="png")
    one.previews.place([Placing(whole, over, (64, 0, 128, 64))])
    one.offer(1, latents_of(0.0))
    one.wait_for(1)
    one.previews.place([])
    one.offer(2)
    one.wait_for(2)
    with Image.open(io.BytesIO(one.seen[0].data)) as shown:
        assert shown.size == (64, 32)
        assert {shown.getpixel(place) for place in ((2, 2), (36, 2), (60, 24))} == {(0, 0, 255)}
        assert shown.getpixel((60, 4)) != (0, 0, 255)
    with Image.open(io.BytesIO(one.seen[1].data)) as shown:
        assert shown.size == (64, 64)
