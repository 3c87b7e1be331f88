"""txt2img: resolving closes every question in the same way each time; what its files and events hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.images.infotext import parse, parse_pairs, write
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.options import Settings
from tests.jobs.made_models import make_model

FAST = ModelDefaults(steps=4, cfg_scale=1.0, sampler_name="LCM")


def checkpoint(defaults: ModelDefaults | None = None, sha256: str | None = "a" * 64) -> Checkpoint:
    return Checkpoint("emoji", Path("emoji"), "folder", 128, 256, sha256, defaults or ModelDefaults(), None, None)


def resolved(data: dict[str, Any], model: Checkpoint | None = None, settings: Settings | None = None) -> ResolvedJob:
    request = validate_drawing("txt2img", data)
    models = Models(model or checkpoint())
    return request.resolve(models, settings or Settings(), lambda: 42, dtype="float32", threads=2)


def test_what_is_open_is_the_models_own() -> None:
    found = resolved({"prompt": " heart "}, checkpoint(FAST))
    assert TXT2IMG.told(found) == {
        "prompt": "heart", "negative_prompt": "", "seed": 42, "steps": 4, "cfg_scale": 1.0, "width": 128, "height": 256,
        "sampler_name": "LCM", "scheduler": "Automatic", "batch_size": 1, "n_iter": 1, "checkpoint": "emoji",
        "checkpoint_hash": "a" * 64, "dtype": "float32", "threads": 2, "layout": "contiguous", "version": "0.1.0",
        "save_images": True, "save_partial": False, "add_model_name_to_info": True, "add_model_hash_to_info": True,
        "add_version_to_infotext": True, "mark_partial": True, "environment": None,
        "lora_add_hashes_to_infotext": True, "textual_inversion_add_hashes_to_infotext": True,
    }  # fmt: skip


def test_what_was_sent_wins_over_the_model() -> None:
    found = resolved({"steps": 9, "cfg_scale": 0, "width": 512, "seed": 0, "sampler_name": "Heun"}, checkpoint(FAST))
    drawn = found.passes[0]
    assert (drawn.steps, drawn.cfg_scale, drawn.width, drawn.height) == (9, 0.0, 512, 256)
    assert (found.seed, drawn.sampler_name, drawn.scheduler) == (0, "Heun", "Automatic")


@pytest.mark.parametrize(
    ("family", "variant", "sent", "distilled", "shift"),
    [
        ("sd1", "", {"distilled_cfg_scale": 3.5, "shift": 3}, None, None),
        ("flux", "dev", {}, 3.5, None),
        ("flux", "krea", {}, 4.5, None),
        ("flux", "dev", {"distilled_cfg_scale": 2, "shift": 1.5}, 2.0, 1.5),
        ("flux", "schnell", {"distilled_cfg_scale": 2, "shift": 1.5}, None, 1.5),
        ("sd3", "medium", {"distilled_cfg_scale": 2}, None, None),
        ("SomePipeline", "", {"distilled_cfg_scale": 2, "shift": 4}, None, 4.0),
    ],
)
def test_what_only_some_families_know_is_part_of_their_pictures_alone(
    family: str, variant: str, sent: dict[str, Any], distilled: float | None, shift: float | None
) -> None:
    """Forge's clients send distilled_cfg_scale to every model."""
    model = replace(checkpoint(), family=family, variant=variant, prediction="flow" if family != "sd1" else "epsilon")
    found = resolved(sent, model)
    assert (found.passes[0].distilled_cfg_scale, found.passes[0].shift) == (distilled, shift)
    picture = TXT2IMG.picture(found, 0)
    assert (picture.get("distilled_cfg_scale"), picture.get("shift")) == (distilled, shift)
    pairs = parse_pairs(write(found, 0))
    assert pairs.get("Distilled CFG Scale") == (None if distilled is None else f"{distilled:g}")
    assert pairs.get("Shift") == (None if shift is None else f"{shift:g}")
    told = parse(write(found, 0))
    assert (told.get("distilled_cfg_scale"), told.get("shift")) == (distilled, shift)


def test_a_schedule_must_go_with_the_models_own_sampler() -> None:
    assert resolved({"scheduler": "karras"}).passes[0].scheduler == "Karras"
    with pytest.raises(InvalidRequest, match="does not go with sampler DDIM"):
        resolved({"scheduler": "karras"}, checkpoint(ModelDefaults(steps=4, cfg_scale=1.0, sampler_name="DDIM")))


@pytest.mark.parametrize(
    ("data", "samples_save", "saved"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"save_images": True}, False, True),
        ({"save_images": False}, True, False),
        ({"do_not_save_samples": True}, True, False),
        ({"do_not_save_samples": True, "save_images": True}, True, True),
        ({"override_settings": {"samples_save": False}}, True, False),
    ],
)
def test_saving_follows_the_request_then_the_setting(data: dict[str, Any], samples_save: bool, saved: bool) -> None:
    assert resolved(data, settings=Settings(samples_save=samples_save)).saving.save_images is saved


def test_every_picture_has_its_own_seed_and_knows_nothing_of_its_batch() -> None:
    batch = resolved({"seed": 5, "batch_size": 2, "n_iter": 3})
    assert batch.image_count == 6
    assert TXT2IMG.picture(batch, 3) == TXT2IMG.picture(resolved({"seed": 8, "save_images": False}), 0)


def test_a_value_that_a_later_version_adds_changes_no_file() -> None:
    class LaterPass(Pass):
        eta: float = 0.7

    class LaterJob(ResolvedJob):
        clip_skip: int = 2

    now = resolved({"seed": 5})
    later = LaterJob(**{**dict(now), "passes": (LaterPass(**dict(now.passes[0])),)})
    assert TXT2IMG.picture(later, 1) == TXT2IMG.picture(now, 1)
    assert set(TXT2IMG.picture(now, 1)) == {
        "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "width", "height", "sampler_name", "scheduler",
        "checkpoint", "checkpoint_hash", "dtype", "threads", "layout", "version",
    }  # fmt: skip


def test_events_tell_of_a_request_what_the_kind_names() -> None:
    assert TXT2IMG.told_request({"prompt": "cat", "seed": 5, "init_images": ["iVBORw0KGgo"]}) == {
        "prompt": "cat", "seed": 5,
    }  # fmt: skip


def test_a_model_must_be_hashed_first() -> None:
    with pytest.raises(ValueError, match="emoji is not hashed"):
        resolved({}, checkpoint(sha256=None))


def test_the_model_is_the_requests_else_the_settings(tmp_path: Path) -> None:
    for name in ("one", "two", "broken"):
        make_model(tmp_path / "Stable-diffusion" / name)
    (tmp_path / "Stable-diffusion" / "broken" / "unet" / "config.json").unlink()
    catalogue = CheckpointCatalogue([tmp_path])
    settings = Settings(sd_model_checkpoint="one")
    assert validate_drawing("txt2img", {}).find_models(catalogue, settings).checkpoint.name == "one"
    chosen = validate_drawing("txt2img", {"override_settings": {"sd_model_checkpoint": "two"}})
    assert chosen.find_models(catalogue, settings).checkpoint.name == "two"
    with pytest.raises(ModelError, match=r"Checkpoint broken cannot be used: unet/config.json is missing"):
        validate_drawing("txt2img", {}).find_models(catalogue, Settings(sd_model_checkpoint="broken"))
    with pytest.raises(InvalidRequest, match="Checkpoint 'gone' is not known: use one of one, two"):
        validate_drawing("txt2img", {}).find_models(catalogue, Settings(sd_model_checkpoint="gone"))
