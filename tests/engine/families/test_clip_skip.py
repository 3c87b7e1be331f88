"""Clip skip: words as an earlier layer of CLIP reads them, for Stable Diffusion 1 alone, as with A1111."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from modules.engine.families.base import Asked
from modules.engine.families.known import FAMILIES
from modules.engine.families.reading import Text
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.encoding import PromptEncoder


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


def read(model: LoadedModel, clip_skip: int, encoder: PromptEncoder | None = None, family: str = "sd1") -> torch.Tensor:
    asked = Asked(guidance_scale=1.0, clip_skip=clip_skip)
    with torch.inference_mode():
        if family != "sd1":
            words: Any = FAMILIES[family].encode(
                model.pipeline, (Text("a red heart"),), (Text(""),), asked, lambda key, make: make()
            )
        else:
            words = (encoder or PromptEncoder()).encode(model, "a red heart", "", asked)
    embeddings: torch.Tensor = words["prompt_embeds"]
    return embeddings


def test_it_is_the_layer_before_the_last_with_the_last_norm(plain: LoadedModel) -> None:
    encoder, tokenizer = plain.pipeline.text_encoder, plain.pipeline.tokenizer
    ids = tokenizer("a red heart", padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.inference_mode():
        layers = encoder(ids, output_hidden_states=True).hidden_states
        expected = encoder.final_layer_norm(layers[-2])
    assert torch.equal(read(plain, 2), expected)
    assert not torch.equal(read(plain, 2), read(plain, 1))


def test_there_is_no_layer_before_the_first_one(plain: LoadedModel) -> None:
    assert torch.equal(read(plain, 12), read(plain, 2))  # The tiny one has two.


def test_what_is_kept_of_the_words_is_kept_by_it(plain: LoadedModel) -> None:
    encoder = PromptEncoder()
    assert torch.equal(read(plain, 1, encoder), read(plain, 1))
    assert torch.equal(read(plain, 2, encoder), read(plain, 2))


def test_stable_diffusion_2_is_read_as_it_was_trained(plain: LoadedModel) -> None:
    assert torch.equal(read(plain, 2, family="sd2"), read(plain, 1))
