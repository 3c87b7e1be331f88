"""The model that the project brings: a folder that diffusers alone draws with, and that follows words."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionImg2ImgPipeline
from PIL import Image

from modules.jobs.models.diffusers_folder import native_size
from modules.paths import ROOT

EMBEDDED = ROOT / "models" / "Stable-diffusion" / "emoji"
MOST_BYTES = 45_000_000

Draw = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[DiffusionPipeline]:
    """What the snippet on the model's card makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("HF_HUB_OFFLINE", "1")
        made = DiffusionPipeline.from_pretrained("models/Stable-diffusion/emoji")
        made.set_progress_bar_config(disable=True)
        yield made


@pytest.fixture(scope="module")
def draw(pipeline: DiffusionPipeline) -> Draw:
    """Draw with the seed 1, each picture once."""

    @cache
    def one(words: str, **more: object) -> np.ndarray:
        options = {"num_inference_steps": 8, "guidance_scale": 3.0, "generator": torch.Generator().manual_seed(1)}
        return np.asarray(pipeline(words, **{**options, **more}).images[0], float)

    return one


def test_the_snippet_on_the_models_card_draws_and_so_does_an_empty_prompt(draw: Draw) -> None:
    heart, nothing = draw("red heart"), draw("")
    assert heart.shape[:2] == nothing.shape[:2] == native_size(EMBEDDED)[::-1]
    red, green, blue = heart.mean((0, 1))
    assert red > green + 20
    assert red > blue + 20
    assert nothing.std() > 5


@pytest.mark.parametrize(("words", "strongest"), [("red", 0), ("green", 1), ("blue", 2)])
def test_the_background_has_the_colour_of_the_words(draw: Draw, words: str, strongest: int) -> None:
    picture = draw(f"cat on a {words} background")
    corners = np.concatenate(
        [picture[y, x].reshape(-1, 3) for y in (slice(12), slice(-12, None)) for x in (slice(12), slice(-12, None))]
    )
    assert int(np.median(corners, axis=0).argmax()) == strongest


def test_a_negative_prompt_pushes_away_from_what_it_names(draw: Draw) -> None:
    plain, without = draw("heart"), draw("heart", negative_prompt="red")
    redness = [picture[..., 0].mean() - picture[..., 1:].mean() for picture in (plain, without)]
    assert redness[1] < redness[0]


def test_a_word_that_it_does_not_know_seldom_breaks_the_one_beside_it(draw: Draw) -> None:
    names = ("cat face", "rocket", "pizza", "blue heart")
    known = {name: draw(name) for name in names}

    def nearest(picture: np.ndarray) -> str:
        return min(names, key=lambda name: np.square(known[name] - picture).mean())

    beside = [
        (name, words.format(name)) for words in ("steampunk {}", "psychedelic {}", "{}, baroque") for name in names
    ]
    broken = [words for name, words in beside if nearest(draw(words)) != name]
    assert len(broken) <= 2, broken  # of twelve: EVALUATION.md says of how many


def test_more_words_than_it_reads_are_cut_and_the_first_ones_count(draw: Draw) -> None:
    heart, long = draw("red heart"), draw("red heart" + ", shiny" * 200)
    assert long.shape == heart.shape
    assert long[..., 0].mean() > long[..., 2].mean() + 10


@pytest.mark.parametrize(("width", "height"), [(96, 160), (512, 512), (320, 192)])
def test_other_sizes_are_drawn_without_garbage(draw: Draw, width: int, height: int) -> None:
    picture = draw("red heart", width=width, height=height)
    assert picture.shape[:2] == (height, width)
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert border.mean() > 200  # what stands alone stands on white
    assert picture[..., 0].mean() > picture[..., 1].mean() + 5


def test_an_image_is_drawn_over(pipeline: DiffusionPipeline) -> None:
    over = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    over.set_progress_bar_config(disable=True)
    begin = Image.new("RGB", (256, 256), "white")
    begin.paste((60, 110, 230), (48, 48, 208, 208))
    near, far = (
        np.asarray(
            over("blue heart", image=begin, strength=strength, num_inference_steps=10,
                 generator=torch.Generator().manual_seed(1)).images[0], float)
        for strength in (0.3, 1.0)
    )  # fmt: skip
    before = np.asarray(begin, float)
    assert np.square(near - before).mean() < np.square(far - before).mean()
    assert np.square(near - before).mean() < 3000


def test_the_weights_are_small_enough_to_come_with_the_program() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*.safetensors")) <= MOST_BYTES


@pytest.mark.parametrize("component", ["text_encoder", "unet", "vae"])
def test_the_figures_in_its_folder_are_those_of_its_weights(component: str) -> None:
    (weights,) = (EMBEDDED / component).glob("*.safetensors")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f"{component} `{digest[:12]}`" in (EMBEDDED / "EVALUATION.md").read_text(encoding="utf-8")
