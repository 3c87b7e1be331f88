"""Which models a request is drawn with: as the settings were when it was sent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.choice import Choice, Models, choose
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.options import Settings
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.style import Style
from modules.prompts.styles.style_files import StyleFiles
from tests.jobs.made_models import make_model, make_vae


@pytest.fixture
def catalogue(tmp_path: Path) -> CheckpointCatalogue:
    place = tmp_path / "Stable-diffusion"
    for name in ("base", "fine", "broken"):
        make_model(place / name, weights=name.encode().ljust(16))
    (place / "broken" / "unet" / "config.json").unlink()
    make_vae(tmp_path / "VAE" / "soft.safetensors")
    make_vae(tmp_path / "VAE" / "wide.safetensors", channels=16)
    rows = ("name,prompt,negative_prompt", "inked,ink of {prompt},colour", f"long,{'x' * 9_990},")
    (tmp_path / "styles.csv").write_text("\n".join(rows))
    return CheckpointCatalogue([tmp_path], library=PromptLibrary(StyleFiles([tmp_path / "styles.csv"])))


def found(catalogue: CheckpointCatalogue, settings: Settings | None = None, **data: Any) -> Models:
    return validate_drawing("txt2img", data).find_models(catalogue, settings or Settings(sd_model_checkpoint="base"))


def of_family(catalogue: CheckpointCatalogue, family: str, name: str = "base") -> Checkpoint:
    return replace(catalogue.find(name), family=family)


def test_the_settings_choose_and_a_request_overrides_them(catalogue: CheckpointCatalogue) -> None:
    plain = found(catalogue)
    assert (plain.checkpoint.name, plain.vae, plain.refiner, plain.clip_skip) == ("base", None, None, 1)
    settings = Settings(sd_model_checkpoint="base", sd_vae="soft.safetensors", CLIP_stop_at_last_layers=2)
    set_so = found(catalogue, settings)
    assert (set_so.vae and set_so.vae.name, set_so.clip_skip) == ("soft.safetensors", 2)
    own = found(catalogue, settings, override_settings={"sd_vae": "None", "CLIP_stop_at_last_layers": 1})
    assert (own.vae, own.clip_skip) == (None, 1)


def test_automatic_is_the_vae_with_the_checkpoints_name(tmp_path: Path, catalogue: CheckpointCatalogue) -> None:
    make_vae(tmp_path / "VAE" / "base.vae.safetensors")
    chosen = found(catalogue).vae
    assert chosen is not None
    assert chosen.name == "base.vae.safetensors"
    assert found(catalogue, override_settings={"sd_vae": "None"}).vae is None


def test_one_with_the_checkpoints_name_that_cannot_be_used_is_told_of(
    tmp_path: Path, catalogue: CheckpointCatalogue
) -> None:
    (tmp_path / "VAE" / "base.vae.pt").write_bytes(b"pickled")
    chosen = found(catalogue)
    assert chosen.vae is None
    assert "The VAE base.vae.pt, which has the name of base, is not used: " in chosen.told[0]
    assert "use a safetensors of the same VAE" in chosen.told[0]


def test_a_vae_of_another_kind_of_latents_is_refused(catalogue: CheckpointCatalogue) -> None:
    with pytest.raises(InvalidRequest, match=r"for latents of 16 channels, and Stable Diffusion 1.x has 4") as refused:
        choose(of_family(catalogue, "sd1"), "wide", None, 1, catalogue)
    assert refused.value.field == "sd_vae"
    assert choose(of_family(catalogue, "sd3"), "wide", None, 1, catalogue).vae is not None


def test_clip_skip_is_for_stable_diffusion_1(catalogue: CheckpointCatalogue) -> None:
    assert choose(of_family(catalogue, "sd1"), "None", None, 2, catalogue).clip_skip == 2
    other = choose(of_family(catalogue, "sdxl"), "None", None, 2, catalogue)
    assert other.clip_skip == 1
    assert other.told == ("Clip skip 2 changes nothing here: base is not of Stable Diffusion 1.",)


def test_a_refiner_goes_on_with_latents_of_its_own_kind_alone(catalogue: CheckpointCatalogue) -> None:
    assert (refiner := found(catalogue, refiner_checkpoint="fine").refiner) is not None
    assert refiner.name == "fine"
    assert found(catalogue, refiner_checkpoint="base").refiner is None
    for wrong, message in (("gone", "Refiner 'gone' is not known: use one of"), ("broken", "Refiner broken cannot be")):
        with pytest.raises(InvalidRequest, match=message) as refused:
            found(catalogue, refiner_checkpoint=wrong)
        assert refused.value.field == "refiner_checkpoint"

    class Known(CheckpointCatalogue):
        def find(self, name: str) -> Checkpoint:
            return of_family(catalogue, "sdxl-refiner", name)

    known = Known([])
    assert choose(of_family(catalogue, "sdxl"), "None", "fine", 1, known).refiner is not None
    with pytest.raises(
        InvalidRequest, match=r"cannot go on with latents of Stable Diffusion 1.x; use a model of the sa"
    ):
        choose(of_family(catalogue, "sd1"), "None", "fine", 1, known)


@pytest.mark.parametrize(
    ("at", "parts"),
    [
        (None, [(0, 16, "base"), (16, None, "fine")]),
        (0.5, [(0, 10, "base"), (10, None, "fine")]),
        (0.77, [(0, 16, "base"), (16, None, "fine")]),
        (0, [(0, None, "fine")]),
        (1, [(0, None, "base")]),
    ],
)
def test_the_refiner_takes_over_at_its_part_of_the_steps(
    catalogue: CheckpointCatalogue, at: float | None, parts: list[Any]
) -> None:
    request = validate_drawing("txt2img", {"steps": 20, "refiner_checkpoint": "fine", "refiner_switch_at": at})
    models = request.find_models(catalogue, Settings(sd_model_checkpoint="base"))
    resolved = request.resolve(models, Settings(), lambda: 1, "float32", 1)
    drawn = [(one.begin, one.end, resolved.checkpoint_of(number).name) for number, one in enumerate(resolved.passes)]
    assert drawn == parts
    assert resolved.step_count == 20


def test_a_row_keeps_names_and_hashes(catalogue: CheckpointCatalogue) -> None:
    models = found(catalogue, refiner_checkpoint="fine", override_settings={"sd_vae": "soft"})
    choice = Choice.of(models)
    assert Choice.in_row({"chosen": choice.model_dump(mode="json")}) == choice
    assert (choice.checkpoint.name, choice.checkpoint.hash) == ("base", models.checkpoint.sha256)
    assert choice.vae is not None
    assert choice.vae.name == "soft.safetensors"
    for row in ({}, {"chosen": None}, {"chosen": {"vae": 5}}):
        assert Choice.in_row(row) is None


def test_a_job_needs_all_hashes(catalogue: CheckpointCatalogue) -> None:
    models = found(catalogue, override_settings={"sd_vae": "soft"})
    with pytest.raises(ValueError, match=r"soft.safetensors is not hashed"):
        validate_drawing("txt2img", {}).resolve(models, Settings(), lambda: 1, "float32", 1)


def test_a_vae_that_cannot_be_read_is_no_choice(tmp_path: Path, catalogue: CheckpointCatalogue) -> None:
    (tmp_path / "VAE" / "old.ckpt").write_bytes(b"pickled")
    with pytest.raises(InvalidRequest, match=r"VAE old.ckpt cannot be used: .*old.ckpt is a pickle"):
        found(catalogue, override_settings={"sd_vae": "old"})
    with pytest.raises(ModelError):
        found(catalogue, Settings(sd_model_checkpoint="broken"))


def test_the_texts_of_styles_are_kept_as_they_were_when_a_job_was_sent(
    catalogue: CheckpointCatalogue, tmp_path: Path
) -> None:
    kept = Choice.of(found(catalogue, prompt="a cat", styles=["inked", "None"]))
    (tmp_path / "styles.csv").unlink()
    again = Choice.in_row({"chosen": kept.model_dump(mode="json")})
    assert again is not None and again.styles == (Style("inked", "ink of {prompt}", "colour"),)


def test_a_style_that_is_not_there_or_makes_a_prompt_too_long_is_refused(catalogue: CheckpointCatalogue) -> None:
    with pytest.raises(InvalidRequest, match="Style 'gone' not found: use one of inked, long") as refused:
        found(catalogue, styles=["inked", "gone"])
    assert refused.value.field == "styles"
    with pytest.raises(InvalidRequest, match="With its styles a prompt has 10,002 characters"):
        found(catalogue, prompt="a long cat", styles=["long"])
    with pytest.raises(InvalidRequest, match="With its styles a prompt has"):
        found(catalogue, enable_hr=True, hr_prompt="a long cat", styles=["long"])
