"""Previews: ids only grow, none is shown for the wrong job, a failing decode breaks nothing."""

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.shared_state import Preview, State


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["begin", "end", "assign", "assign encoded", "stale", "apply", "old apply"]), max_size=40)
)
def test_preview_ids_only_grow(steps: list[str]) -> None:
    state = State()
    told: list[Preview] = []
    state.preview_observer = told.append
    highest, token = 0, 0
    for step in steps:
        if step == "begin":
            token = state.begin("job")
        elif step == "end":
            state.end()
        elif step == "assign":
            state.assign_current_image(None)
        elif step == "assign encoded":
            state.assign_current_image(None, ("image/png", b"data"))
        elif step == "stale":
            assert not state.assign_current_image(None, ("image/png", b"data"), token=token - 1)
        elif step == "apply":
            state.apply({"id_live_preview": highest + 3})
        else:
            state.apply({"id_live_preview": highest - 1})
        assert state.id_live_preview >= highest
        highest = state.id_live_preview
        if state.preview:
            assert state.preview.id <= highest
    ids = [preview.id for preview in told]
    assert ids == sorted(set(ids))


def test_a_preview_knows_job_image_and_step() -> None:
    state = State()
    token = state.begin("a")
    state.image_index, state.sampling_step = 2, 11
    state.assign_current_image(None, ("image/jpeg", b"data"), token=token)
    assert state.preview == Preview(1, "a", 2, 11, "image/jpeg", b"data")
    state.assign_current_image(None, ("image/jpeg", b"late"), image_index=1, step=20)
    assert state.preview == Preview(2, "a", 1, 20, "image/jpeg", b"late")


def test_only_newer_previews_of_the_same_job_are_taken_over() -> None:
    state = State()
    state.apply({"begun": 1, "begun_job": "a"})
    newest = Preview(5, "a", 0, 1, "image/jpeg", b"5")
    assert state.apply_preview(newest)
    assert not state.apply_preview(Preview(4, "a", 0, 1, "image/jpeg", b"4"))
    assert not state.apply_preview(Preview(6, "b", 0, 1, "image/jpeg", b"6"))
    assert (state.preview, state.id_live_preview) == (newest, 5)
    state.apply({"begun": 2, "begun_job": "b"})
    assert state.preview is None


def test_do_set_current_image_without_decoder_or_latent_does_nothing() -> None:
    state = State()
    state.begin("a")
    state.current_latent = "latent"
    state.do_set_current_image()
    state.current_latent = None
    state.preview_decoder = lambda latent: pytest.fail("there is nothing to decode")
    state.do_set_current_image()
    assert state.id_live_preview == 0


def test_set_current_image_decodes_each_n_steps_once() -> None:
    decoded: list[str] = []

    def decode(latent: str) -> Any:
        decoded.append(latent)
        return f"image of {latent}"

    state = State()
    state.preview_decoder = decode
    state.preview_every_n_steps = 3
    state.begin("a")
    for step in range(8):
        state.sampling_step = step
        state.current_latent = f"step {step}"
        state.set_current_image()
        state.set_current_image()
    assert decoded == ["step 3", "step 6"]
    shown: Any = state.current_image
    assert (shown, state.id_live_preview, state.current_image_sampling_step) == ("image of step 6", 2, 6)
    state.preview_every_n_steps = -1
    state.sampling_step = 20
    state.set_current_image()
    assert len(decoded) == 2
    state.nextjob()
    assert len(decoded) == 3


def test_a_failing_decode_is_told_once_and_given_up_after_three(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    def fail(latent: str) -> Any:
        tries.append(latent)
        raise RuntimeError("the VAE is on the CPU")

    state = State()
    state.preview_decoder = fail
    with caplog.at_level(logging.WARNING):
        state.begin("a")
        state.current_latent = "latent"
        for _ in range(10):
            state.do_set_current_image()
    assert len(tries) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "A preview could not be decoded (the job goes on): the VAE is on the CPU"
    ]
    assert state.current_image is None
    state.begin("b")
    state.current_latent = "latent"
    state.do_set_current_image()
    assert len(tries) == 4


def test_an_image_decoded_for_an_earlier_job_is_dropped() -> None:
    state = State()

    def slow(latent: str) -> Any:
        state.end()
        state.begin("b")
        return "image of a"

    state.preview_decoder = slow
    state.begin("a")
    state.current_latent = "latent of a"
    state.sampling_step = 3
    state.do_set_current_image()
    assert (state.current_image, state.id_live_preview, state.current_image_sampling_step) == (None, 0, 0)
