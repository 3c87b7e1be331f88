"""From words to a picture: the same as diffusers alone draws."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from PIL import Image

from modules.engine.families.base import Asked, Words
from modules.engine.families.reading import Reading, Text
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.estimate import Step
from modules.engine.work.decoding import cut, decode
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch, Content
from modules.errors import ModelError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.models.defaults import STEPS_HIGHEST
from tests.jobs.made_jobs import resolved_job


def resolved(**changes: Any) -> ResolvedJob:
    values = {
        "prompt": "a red heart", "negative_prompt": "blue", "seed": 11, "steps": 3, "cfg_scale": 4.0, "width": 64,
        "height": 72, "sampler_name": "Euler",
    }  # fmt: skip
    return resolved_job(**values | changes)


def embeddings(model: LoadedModel, what: ResolvedJob) -> Words:
    words, asked = what.words, Asked.by(what.passes[0], what.batch_size)
    return PromptEncoder().encode(model, words.prompt, words.negative_prompt, asked)


def sample(model: LoadedModel, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return Batch(model, embeddings(model, what), what, indices).sample(lambda done, steps, step: None)


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


def test_embeddings_are_those_of_the_pipeline(plain: LoadedModel) -> None:
    with torch.inference_mode():
        ours = PromptEncoder().encode(plain, "a red heart", "", Asked(guidance_scale=7.0))
        stock = plain.pipeline.encode_prompt("a red heart", "cpu", 1, True, "")
    assert torch.equal(ours["prompt_embeds"], stock[0])
    assert torch.equal(ours["negative_prompt_embeds"], stock[1])


def test_long_prompts_are_encoded_in_chunks_and_both_prompts_have_as_many(plain: LoadedModel) -> None:
    encoder = PromptEncoder()
    words = " ".join(["heart"] * 80)
    with torch.inference_mode():
        long = encoder.encode(plain, words, "blue", Asked(guidance_scale=7.0))
        first = encoder.encode(plain, " ".join(["heart"] * 75), "", Asked(guidance_scale=7.0))
        empty = encoder.encode(plain, "", "", Asked(guidance_scale=7.0))
    positive, negative = long["prompt_embeds"], long["negative_prompt_embeds"]
    assert positive.shape == negative.shape == (1, 154, 16)
    assert torch.allclose(positive[:, :77], first["prompt_embeds"], atol=1e-5)
    assert torch.allclose(negative[:, 77:], empty["prompt_embeds"], atol=1e-5)


def test_a_prompt_is_encoded_once(plain: LoadedModel) -> None:
    encoder = PromptEncoder()
    calls: list[int] = []
    hook = plain.pipeline.text_encoder.register_forward_pre_hook(lambda module, inputs: calls.append(1))
    try:
        with torch.inference_mode():
            assert encoder.encode(plain, "a", "b", Asked(guidance_scale=1.0))["negative_prompt_embeds"] is None
            assert len(calls) == 1
            encoder.encode(plain, "a", "b", Asked(guidance_scale=7.0))
            encoder.encode(plain, "b", "a", Asked(guidance_scale=7.0))
            assert len(calls) == 2
            encoder.forget()
            encoder.encode(plain, "a", "b", Asked(guidance_scale=7.0))
            assert len(calls) == 4
    finally:
        hook.remove()


def test_a_prompt_that_says_something_else_at_each_step_is_encoded_once(plain: LoadedModel) -> None:
    """Its texts are weighed as one, so each is read for each of them."""
    encoder, calls = PromptEncoder(), list[int]()
    prompts, negatives = (tuple(f"{word} {n}" for n in range(STEPS_HIGHEST)) for word in ("heart", "moon"))
    asked = Asked(guidance_scale=7.0, reading=Reading("a1111"))
    hook = plain.pipeline.text_encoder.register_forward_pre_hook(lambda module, inputs: calls.append(1))
    try:
        with torch.inference_mode():
            for step in (0, 1, STEPS_HIGHEST - 1):
                told = (Text(prompts[step], prompts),), (Text(negatives[step], negatives),)
                encoder.encode(plain, *told, asked)
    finally:
        hook.remove()
    assert len(calls) == 2 * STEPS_HIGHEST


def test_a_picture_is_bit_for_bit_the_one_of_the_bare_pipeline(plain: LoadedModel) -> None:
    what = resolved()
    latents = sample(plain, what, [0])
    with torch.inference_mode():
        ours = decode(plain, latents, (64, 72))
        own = plain.pipeline.scheduler
        plain.pipeline.scheduler = EulerDiscreteScheduler.from_config(own.config)
        stock: Image.Image = plain.pipeline(
            "a red heart", negative_prompt="blue", num_inference_steps=3, guidance_scale=4.0, width=64, height=72,
            generator=torch.Generator().manual_seed(11),
        ).images[0]  # fmt: skip
        plain.pipeline.scheduler = own
    assert ours.size == (64, 72)
    assert np.array_equal(np.asarray(ours), np.asarray(stock))


@pytest.mark.parametrize("sampler", ["Euler", "DPM++ 2M SDE"])
def test_image_i_is_the_same_in_any_batch(plain: LoadedModel, sampler: str) -> None:
    what = resolved(sampler_name=sampler)
    together = sample(plain, what, [0, 1, 2])
    assert together.shape == (3, 4, 9, 8)
    alone = sample(plain, what, [2])
    assert torch.allclose(together[2:], alone, atol=1e-3)
    assert not torch.allclose(together[:1], alone, atol=0.1)


def test_a_side_that_is_no_whole_number_of_latents_gets_one_more_and_the_picture_is_cut(
    plain: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain.pipeline, "vae_scale_factor", 16)
    assert sample(plain, resolved(), [0]).shape == (1, 4, 5, 4)
    drawn = Image.new("RGB", (64, 80), "blue")
    drawn.paste("red", (0, 4, 64, 76))
    kept = cut(drawn, (64, 72))
    assert kept.size == (64, 72)
    assert kept.getcolors() == [(64 * 72, (255, 0, 0))]
    assert cut(kept, (64, 72)) is kept


def test_steps_are_told_as_they_are_done_and_counted_in_those_asked_for(plain: LoadedModel) -> None:
    what = resolved(sampler_name="Heun")
    told: list[tuple[int, int]] = []
    batch = Batch(plain, embeddings(plain, what), what, [0])
    assert batch.steps_done == 0
    halfway: list[int] = []

    def on_step(done: int, steps: int, step: object) -> None:
        told.append((done, steps))
        halfway.append(batch.steps_done)

    with torch.inference_mode():
        batch.sample(on_step)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert halfway == [0, 1, 1, 2, 3]
    assert plain.pipeline.scheduler.__class__.__name__ == "DDIMScheduler"


def test_the_numbers_that_the_callback_is_given_do_not_change_later(plain: LoadedModel) -> None:
    """Previews read them on another thread while the sampler goes on."""
    for sampler in ("Euler", "DDIM", "DPM++ 2M", "UniPC", "Heun", "LCM"):
        what = resolved(sampler_name=sampler, steps=4)
        kept: list[tuple[torch.Tensor, torch.Tensor]] = []
        with torch.inference_mode():
            Batch(plain, embeddings(plain, what), what, [0]).sample(
                lambda done, steps, step, kept=kept: kept.append((step.denoised(), step))  # type: ignore[misc]
            )
        assert all(torch.equal(then, step.denoised()) for then, step in kept), sampler  # type: ignore[attr-defined]


def test_a_picture_without_numbers_is_an_error_that_names_the_remedy(plain: LoadedModel) -> None:
    with torch.inference_mode(), pytest.raises(ModelError, match="set the number format to float32"):
        decode(plain, torch.full((1, 4, 8, 8), float("nan")), (64, 64))


def test_previews_show_what_either_prompt_alone_would_make_of_it(plain: LoadedModel) -> None:
    what = resolved(steps=2, batch_size=2)
    batch = Batch(plain, embeddings(plain, what), what, [0, 1])
    shown: list[list[torch.Tensor]] = []

    def on_step(done: int, steps: int, step: Step) -> None:
        contents: list[Content] = ["Combined", "Prompt", "Negative prompt"]
        steps_shown = [batch.shown(content) for content in contents]
        assert steps_shown[0] is step
        shown.append([one.model_output for one in steps_shown if one is not None])

    with torch.inference_mode():
        batch.sample(on_step)
    for combined, positive, negative in shown:
        assert not torch.allclose(positive, negative)
        assert torch.allclose(combined, negative + 4.0 * (positive - negative), atol=1e-5)
    assert not plain.denoiser._forward_hooks


def test_without_guidance_there_is_one_prompt_to_show(plain: LoadedModel) -> None:
    what = resolved(steps=1, cfg_scale=1.0)
    batch = Batch(plain, embeddings(plain, what), what, [0])
    assert batch.shown("Prompt") is None
    with torch.inference_mode():
        batch.sample(lambda done, steps, step: None)
    assert batch.shown("Prompt") is batch.shown("Negative prompt") is batch.latest
