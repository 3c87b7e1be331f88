"""What A1111's own parser makes of an infotext, and which models one names."""

from __future__ import annotations

import pytest

from modules.images.a1111_parameters import of_older_versions, parameters_of
from modules.images.civitai_resources import cut_resources
from modules.images.infotext import parse_pairs, parse_whole, text_of
from modules.images.named_models import NamedModel, models_in

PAIRS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768"


def test_sizes_are_two_and_what_is_missing_has_a1111_s_meaning() -> None:
    assert parameters_of(parse_pairs(f"a (cat)\n{PAIRS}, Hires resize: 1024x1536, RNG: CPU")) == {
        "Prompt": "a (cat)", "Negative prompt": "", "Steps": "20", "Sampler": "Euler a", "CFG scale": "7", "Seed": "1",
        "Size-1": "512", "Size-2": "768", "Hires resize-1": "1024", "Hires resize-2": "1536", "RNG": "CPU",
        "Clip skip": "1", "Hires sampler": "Use same sampler", "Hires schedule type": "Use same scheduler",
        "Hires checkpoint": "Use same checkpoint", "Hires prompt": "", "Hires negative prompt": "",
        "Mask mode": "Inpaint masked", "Masked content": "original", "Inpaint area": "Whole picture",
        "Masked area padding": 32, "Schedule type": "Automatic", "Schedule max sigma": 0, "Schedule min sigma": 0,
        "Schedule rho": 0, "VAE Encoder": "Full", "VAE Decoder": "Full", "FP8 weight": "Disable",
        "Cache FP16 weight for LoRA": False, "Refiner switch by sampling steps": False, "Emphasis": "Original",
    }  # fmt: skip
    assert "Emphasis" not in parameters_of(parse_pairs(f"a cat\n{PAIRS}"))
    assert parameters_of({}) == parameters_of(parse_pairs("")) == {}


@pytest.mark.parametrize(
    ("said", "older"),
    [
        ("Version: v1.5.2", ["Old prompt editing timelines", "Downcast alphas_cumprod"]),
        ("Sampler: DDIM, Version: v1.5.2-30-gabc", ["Old prompt editing timelines", "Pad conds v0",
                                                     "Downcast alphas_cumprod"]),
        ("Version: v1.6.0", ["Downcast alphas_cumprod"]),
        ("Version: v1.7.0-224-gabc", ["Downcast alphas_cumprod"]),
        ("Refiner: x, Version: v1.7.0-225-gabc", ["Refiner switch by sampling steps"]),
        ("Refiner: x, Version: v1.10.1", []),
        ("Version: steady-0.1.0", []),
        ("Model: x", []),
    ],
)  # fmt: skip
def test_what_older_versions_of_a1111_did_otherwise(said: str, older: list[str]) -> None:
    assert list(of_older_versions(parse_pairs(f"[a:b:0.5]\nSteps: 20, Seed: 1, {said}"))) == older


def test_bare_json_of_civitai_is_cut_out_and_nothing_else() -> None:
    line = 'Steps: 1, Civitai resources: [{"a": "x, y: z"}, 5], Seed: 2, Civitai metadata: {}'
    assert cut_resources(line) == ("Steps: 1, Seed: 2", [{"a": "x, y: z"}, 5])
    for broken in ("Steps: 1, Civitai resources: [{, Seed: 2", "Steps: 1, Civitai resources: none", "[" * 100_000):
        assert cut_resources(broken) == (broken, [])
    deep = "Steps: 1, Civitai resources: " + "[" * 100_000
    assert cut_resources(deep) == (deep, [])
    assert parse_whole("Civitai resources: [1]") == ({"Prompt": "Civitai resources: [1]", "Negative prompt": ""}, [])


def test_pairs_become_an_infotext_in_a1111_s_order() -> None:
    pairs = {"Size": "8x8", "Zebra": "a, b", "Steps": "5", "Seed": "1", "Prompt": "a\nb", "Negative prompt": "c"}
    assert text_of(pairs) == 'a\nb\nNegative prompt: c\nSteps: 5, Seed: 1, Size: 8x8, Zebra: "a, b"'
    assert parse_pairs(text_of(pairs)) == pairs


def test_models_are_named_with_their_hashes() -> None:
    text = (
        f"a <lora:ink:0.8> <lora:plain> <hypernet:old:1>\n{PAIRS}, Model hash: 6ce0161689, Model: v1-5, VAE hash: "
        "735e4c3a44, VAE: soft, Refiner: xl_refiner [7440042bbd], Hires checkpoint: Use same checkpoint, Module 1: t5, "
        'Lora hashes: "ink: 0123456789ab, gone: ba9876543210", TI hashes: "easy: 66a7279a88dd"'
    )
    assert models_in(parse_pairs(text)) == (
        NamedModel("Checkpoint", "v1-5", "6ce0161689"),
        NamedModel("Checkpoint", "xl_refiner", "7440042bbd"),
        NamedModel("VAE", "soft", "735e4c3a44"),
        NamedModel("Text encoder or VAE", "t5", ""),
        NamedModel("LoRA", "ink", "0123456789ab"),
        NamedModel("LoRA", "plain", ""),
        NamedModel("Hypernetwork", "old", ""),
        NamedModel("LoRA", "gone", "ba9876543210"),
        NamedModel("Embedding", "easy", "66a7279a88dd"),
    )
