"""An emoji typed is an emoji drawn: the embedded model reads its name."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from modules.engine.families.base import Asked
from modules.engine.families.reading import Embedding, Reading
from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.encoding import PromptEncoder
from modules.jobs.kinds.base import Syntax
from modules.paths import ROOT
from modules.prompts.attention import Piece
from modules.prompts.everyday_words import EverydayWords
from modules.prompts.symbols import Symbols
from modules.shared_state import State
from tests.engine.conftest import Engine

EMOJI = ROOT / "models" / "Stable-diffusion" / "emoji"


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return ModelCache(best_device(), Cancel(State())).get(ModelKey(EMOJI, "emoji", "float32"), lambda fraction: None)


@pytest.fixture
def engine_of_emoji(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", ROOT / "models")
    running.options.update({"sd_model_checkpoint": "emoji"})
    yield running
    running.close()


@pytest.mark.parametrize(
    ("typed", "named"), [("🦄", "unicorn"), ("❤️", "red heart"), ("a 👍🏽, 3d", "a thumbs up, medium skin tone, 3d")]
)
def test_a_character_is_encoded_as_its_name(model: LoadedModel, typed: str, named: str) -> None:
    encoder = PromptEncoder()
    with torch.inference_mode():
        by_character = encoder.encode(model, typed, typed, Asked(guidance_scale=3.0))
        encoder.forget()
        by_name = encoder.encode(model, named, named, Asked(guidance_scale=3.0))
    assert by_character.keys() == by_name.keys() == {"prompt_embeds", "negative_prompt_embeds"}
    assert all(torch.equal(by_character[name], by_name[name]) for name in by_name)


def test_the_picture_of_a_character_is_that_of_its_name_to_the_bit(engine_of_emoji: Engine) -> None:
    engine = engine_of_emoji
    drawn = {}
    for prompt in ("🦄", "unicorn"):
        job = engine.draw(prompt=prompt, steps=2, width=64, height=64)
        (data,) = engine.files(job)
        picture = Image.open(io.BytesIO(data))
        assert picture.info["parameters"].splitlines()[0] == prompt
        drawn[prompt] = numpy.asarray(picture)
    assert numpy.array_equal(drawn["🦄"], drawn["unicorn"])


@pytest.mark.parametrize("syntax", ["plain", "a1111"])
def test_a_word_is_read_as_its_name_unless_an_embedding_has_it(syntax: Syntax) -> None:
    symbols = Symbols({}, EverydayWords({"puppy": "dog face", "coffee": "hot beverage"}))
    embeddings = {"puppy": Embedding("0" * 10, {"text_encoder": torch.zeros(1, 4)})}
    reading = Reading(syntax, symbols=symbols, embeddings=embeddings)
    (piece,) = reading.pieces("a puppy, coffee")
    assert isinstance(piece, Piece)
    assert piece.text == "a puppy, hot beverage"
