"""Jobs whose words call for LoRAs and textual inversions, from the row to the picture."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from modules.engine.networks.lora_weights import LoraWeights
from modules.paths import ROOT
from tests.engine.networks.lora_files import Tensors, kohya, numbers, write
from tests.engine.own_engine import Engine
from tests.engine.work.hires_jobs import Hires, ask

QUERY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
CONV = "lora_unet_down_blocks_0_resnets_0_conv1"
WORDS = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
RED_APPLE = "red apple, pixel art"
ALIEN = "LoRA alien does nothing with tiny: none of its 1 layers is one of the model's."


def parts(seed: int) -> Tensors:
    """Return a LoRA for the tiny models that shows: in denoiser and text encoder."""
    return {
        **kohya(CONV, torch.empty(16, 16, 3, 3), alpha=40, seed=seed),
        **kohya(QUERY, torch.empty(32, 32), alpha=40, seed=seed),
        **kohya(WORDS, torch.empty(16, 16), alpha=40, seed=seed),
    }


@pytest.fixture(scope="module", autouse=True)
def loras(models_folder: Path) -> Iterator[None]:
    """Two LoRAs, one of which has a layer too many, and a textual inversion within it."""
    files = [
        write(models_folder / "Lora" / "ink.safetensors", parts(1)),
        write(
            models_folder / "Lora" / "odd.safetensors", parts(5), kohya("lora_unet_no_such_layer", numbers(8, 8)),
            {"bundle_emb.sprout.string_to_param.*": 3 * numbers(2, 16)},
        ),
        write(models_folder / "Lora" / "alien.safetensors", kohya("lora_unet_no_such_layer", numbers(8, 8))),
    ]  # fmt: skip
    yield
    for file in files:
        file.unlink()


def drawn(engine: Engine, prompt: str, **request: object) -> bytes:
    job = engine.draw(prompt=prompt, steps=2, **request)
    assert job.status == "done", job.error
    return pixels(engine.files(job)[-1]).tobytes()


def pixels(file: bytes) -> npt.NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), float)


def test_each_job_has_the_loras_of_its_words_and_the_next_one_without_has_the_models_own_bits(engine: Engine) -> None:
    plain = drawn(engine, "a heart")
    prompts = ("a heart <lora:ink:1>", "a heart <lora:ink:0.5>", "a heart <lora:ink:0:1>", "a heart <lora:ink:1:0>",
               "a heart <lora:ink:1><lora:odd:1>", "a heart <lora:ink:1:1:1>")  # fmt: skip
    different = [drawn(engine, prompt) for prompt in prompts]
    assert len({plain, *different}) == len(prompts) + 1
    for nothing in ("a heart", "a heart <lora:ink:0>", "a heart # <lora:ink:1>"):
        assert drawn(engine, nothing) == plain
    as_text: dict[str, object] = {"override_settings": {"enable_prompt_comments": False}}
    assert drawn(engine, "a heart # <lora:ink:1>", **as_text) != drawn(engine, "a heart #", **as_text)
    drawn(engine, "a heart", negative_prompt="<lora:ink:1>")
    loaded = engine.parts.model_cache.loaded
    assert loaded is not None
    assert loaded.changed.originals == {}
    assert drawn(engine, prompts[0]) == different[0]
    assert drawn(engine, "<lora:ink:0.5>a heart <lora:ink:0.5>") != different[1]  # named twice, it counts twice


def test_what_does_nothing_is_told_of_and_a_word_within_a_lora_is_known_while_it_is_used(engine: Engine) -> None:
    job = engine.draw(prompt="a heart <lora:odd:1:lbw=1,2:wild>", steps=1)
    assert {note.text for note in job.notes if note.kind == "networks"} >= {
        "LoRA odd is used with tiny without 1 of its 4 layers: 1 that this model does not have (no_such_layer).",
        "LoRA odd: lbw=1,2 is no list of 12, 17, 20 or 26 numbers, so all blocks are changed alike.",
    }
    assert drawn(engine, "sprout <lora:odd:0>") != drawn(engine, "sprout")


def test_one_that_changes_nothing_ends_the_job_where_such_are_refused(engine: Engine) -> None:
    prompt = "a heart <lora:ink:1> <lora:alien:1>"
    gone_on = engine.draw(prompt=prompt, steps=1)
    assert (gone_on.status, [note.text for note in gone_on.notes]) == (
        "done",
        [f"{ALIEN} It was made for models of another kind."],
    )
    refused = engine.draw(prompt=prompt, steps=1, override_settings={"networks_missing": "refuse"})
    assert (refused.status, engine.files(refused)) == ("failed", [])
    assert refused.error is not None and refused.error.startswith(ALIEN)
    assert "Take it out of the prompt" in refused.error
    # What is used without some of its layers is used.
    part = engine.draw(prompt="a heart <lora:odd:1>", steps=1, override_settings={"networks_missing": "refuse"})
    assert part.status == "done"


def test_each_pass_has_the_loras_of_its_own_words(engine: Engine) -> None:
    def both(first: str, second: str) -> bytes:
        return drawn(
            engine, f"a heart {first}", enable_hr=True, hr_upscaler="Latent", hr_scale=1.5, denoising_strength=0.5,
            hr_prompt=f"a heart {second}", width=64, height=64,
        )  # fmt: skip

    ink = "<lora:ink:1>"
    pictures = [both(*words) for words in (("", ""), (ink, ink), ("", ink), (ink, ""))]
    assert len(set(pictures)) == 4
    assert both("", ink) == pictures[2]


@pytest.mark.parametrize("amid", ["change", "steps"])
def test_a_pause_loses_no_bit_though_another_job_has_other_loras_meanwhile(
    engine: Engine, amid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"prompt": "a heart <lora:ink:1>", "steps": 4, "sampler_name": "DPM++ 2M SDE"}
    undisturbed = engine.files(engine.draw(**request))
    drawn(engine, "a heart <lora:odd:1>")
    paused = engine.submit(**request)
    with monkeypatch.context() as patch:
        if amid == "change":
            put, calls = LoraWeights._put, []

            def stopping(*given: object) -> object:
                calls.append(1)
                if len(calls) == 2:
                    ask(engine, "pause", paused)
                return put(*given)  # type: ignore[arg-type]

            patch.setattr(LoraWeights, "_put", stopping)
        else:
            patch.setattr(engine.parts.previews, "step_done", lambda: ask(engine, "pause", paused))
        assert engine.run_next().status == "paused"
    assert drawn(engine, "a heart") == drawn(engine, "a heart")
    assert engine.store.control.resume(paused).accepted
    assert engine.files(engine.run_next()) == undisturbed


def test_the_projects_own_ones_draw_what_they_are_for(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", ROOT / "models")
    engine.options.update({"sd_model_checkpoint": "emoji"})

    def picture(prompt: str) -> npt.NDArray[np.float64]:
        job = engine.draw(prompt=prompt, steps=6, width=128, height=128, cfg_scale=5)
        assert (job.status, job.notes) == ("done", ())
        return pixels(engine.files(job)[0])

    try:
        plain = picture(RED_APPLE)
        assert _straightness(picture(f"{RED_APPLE} <lora:pixel-art:1>")) > _straightness(plain) + 0.08
        red, green, _blue = picture("sprig").mean((0, 1))
        assert green > red + 15  # mint, where the word by itself is of no colour
        assert np.array_equal(picture(RED_APPLE), plain)
    finally:
        engine.close()


def _straightness(picture: npt.NDArray[np.float64]) -> float:
    """Return how much of the edges goes on straight to the next pixel: all of it in a picture of squares."""
    shares = []
    for axis in (0, 1):
        edge = np.abs(np.diff(picture, axis=axis)).max(-1) > 20
        shares.append((edge & np.roll(edge, 1, axis=1 - axis)).sum() / edge.sum())
    return float(np.mean(shares))


def test_passes_that_are_resolved_already_find_their_files_again(engine: Engine) -> None:
    """As after a restart: what a row says of its LoRAs is found by name and hash."""
    job = engine.draw(prompt="a heart <lora:ink:1>", steps=2)
    hires = Hires(engine)
    resolved = hires.base.model_validate(job.resolved)
    changes = {"words": resolved.words, "sources": resolved.sources, "seed": resolved.seed}
    assert hires.draw(resolved.passes, **changes) == engine.files(job)
