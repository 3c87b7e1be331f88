"""VAE, clip skip and refiner go from an infotext into the fields, by hash before name."""

from pathlib import Path

import pytest

from modules.images.infotext import parse
from modules.images.takeover import Takeover, take_over
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.models.vae_file import VaeFile

BEGIN = "cat\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 64x64, "
VAES = (
    VaeFile("soft.safetensors", Path("soft.safetensors"), "a" * 64),
    VaeFile("sub/sharp.safetensors", Path("sharp.safetensors"), "b" * 64),
    VaeFile("old.pt", Path("old.pt"), problem="a pickle"),
)
CHECKPOINTS = [
    Checkpoint(name, Path(name), "file", 512, 512, digest * 64, ModelDefaults(), None, problem)
    for name, digest, problem in (("fine.safetensors", "c", None), ("broken.safetensors", "d", "damaged"))
]


def taken(more: str) -> Takeover:
    return take_over(BEGIN + more, CHECKPOINTS, vaes=VAES)


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("VAE hash: aaaaaaaaaa, VAE: soft.safetensors", {"sd_vae": "soft.safetensors"}),
        ("VAE hash: bbbbbbbbbb, VAE: renamed.safetensors", {"sd_vae": "sub/sharp.safetensors"}),
        ("VAE: SHARP.pt", {"sd_vae": "sub/sharp.safetensors"}),
        ("VAE hash: bbbbbbbbbb", {"sd_vae": "sub/sharp.safetensors"}),
        ("VAE: Automatic", {"sd_vae": "Automatic"}),
        ("Clip skip: 2", {"CLIP_stop_at_last_layers": "2"}),
        ("Clip skip: 99", {}),
        (
            "Refiner: fine [cccccccccc], Refiner switch at: 0.7, Refiner switch by sampling steps: True",
            {"refiner_checkpoint": "fine.safetensors", "refiner_switch_at": 0.7},
        ),
        (
            "Refiner: renamed.safetensors [cccccccccc], Refiner switch at: 7",
            {"refiner_checkpoint": "fine.safetensors"},
        ),
    ],
)
def test_what_is_here_is_taken(said: str, values: dict[str, object]) -> None:
    takeover = taken(said)
    names = ("sd_vae", "CLIP_stop_at_last_layers", "refiner_checkpoint", "refiner_switch_at")
    assert {name: takeover.values[name] for name in names if name in takeover.values} == values
    assert takeover.left == []


@pytest.mark.parametrize(
    ("said", "label", "value"),
    [
        ("VAE hash: eeeeeeeeee, VAE: gone.safetensors", "VAE", "gone.safetensors"),
        ("VAE: old.pt", "VAE", "old.pt"),
        ("Refiner: gone [eeeeeeeeee], Refiner switch at: 0.8", "Refiner", "gone [eeeeeeeeee]"),
        ("Refiner: broken.safetensors [dddddddddd]", "Refiner", "broken.safetensors [dddddddddd]"),
    ],
)
def test_what_is_not_here_is_told(said: str, label: str, value: str) -> None:
    ((told, shown, why),) = taken(said).left
    assert (told, shown) == (label, value)
    assert "is not here" in why


def test_the_page_tells_what_was_taken_by_its_names() -> None:
    said = "VAE: soft, Clip skip: 2, Refiner: fine, Refiner switch at: 0.5"
    assert taken(said).taken[-4:] == ["VAE", "Clip skip", "Refiner", "Refiner switch at"]


def test_files_chosen_by_hand_are_understood() -> None:
    said = "Module 1: ae, Module 2: t5xxl"
    assert parse(BEGIN + said)["override_settings"] == {"forge_additional_modules": ["ae", "t5xxl"]}
    assert taken(said).values["forge_additional_modules"] == ["ae", "t5xxl"]
