"""A model without text encoders and VAE is drawn with those that lie beside it; which one is missing, and where to put
it, is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from modules.errors import InvalidRequest
from modules.jobs.models.catalogue import CheckpointCatalogue
from tests.jobs import made_transformers as made
from tests.jobs.made_files import write_file
from tests.jobs.made_unets import clip, under


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ComfyUI with Flux.1 and all that it is drawn with, too large to be hashed at once."""
    monkeypatch.setattr("modules.jobs.models.catalogue._HASH_AT_ONCE_BYTES", 0)
    write_file(tmp_path / "diffusion_models" / "flux1-dev.safetensors", made.flux(), "BF16")
    write_file(tmp_path / "text_encoders" / "clip_l.safetensors", clip())
    write_file(tmp_path / "text_encoders" / "t5xxl_fp8_e4m3fn.safetensors", made.t5(), "F8_E4M3")
    write_file(tmp_path / "vae" / "ae.safetensors", made.vae_of(16))
    return tmp_path


def names_of(models: CheckpointCatalogue, name: str = "flux1-dev") -> dict[str, str]:
    found = models.find(name)
    assert found.problem is None
    return {part: path.name for part, path in found.parts.items()}


def test_the_parts_are_chosen_by_what_they_do(root: Path) -> None:
    for number in range(3):  # Others, that come first by name.
        write_file(root / "text_encoders" / f"a{number}.safetensors", clip(32, 1280, 5120))
    write_file(root / "text_encoders" / "a.safetensors", made.language_model(2560, normed=True))
    write_file(root / "vae" / "a_sdxl.safetensors", made.vae_of(4))
    write_file(root / "vae" / "a_sd3.safetensors", made.vae_of(16))
    (root / "text_encoders" / "a_t5xxl.pt").write_bytes(b"pickled")
    models = CheckpointCatalogue([root])
    (listed,) = models.list()
    assert (listed.family, listed.problem) == ("flux", None)
    assert listed == models.find("flux1-dev")
    assert names_of(models) == {
        "text_encoder": "clip_l.safetensors",
        "text_encoder_2": "t5xxl_fp8_e4m3fn.safetensors",
        "vae": "ae.safetensors",
    }


def test_numbers_as_they_were_published_come_first_and_a_vae_of_the_models_name(root: Path) -> None:
    write_file(root / "text_encoders" / "z_t5xxl.safetensors", made.t5(), "F16")
    write_file(root / "checkpoints" / "flux1-dev.vae.safetensors", made.vae_of(16))
    names = names_of(CheckpointCatalogue([root]))
    assert (names["text_encoder_2"], names["vae"]) == ("z_t5xxl.safetensors", "flux1-dev.vae.safetensors")


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("text_encoders/t5xxl_fp8_e4m3fn.safetensors", "encoder t5xxl is not inside, and was found nowhere: put t5"),
        ("vae/ae.safetensors", "no VAE inside, and none for it (flux) was found: put ae.safetensors into models/VAE"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_until_it_comes(root: Path, gone: str, words: str) -> None:
    away = root / "away.safetensors"
    models = CheckpointCatalogue([root])
    assert models.find("flux1-dev").problem is None
    (root / gone).rename(away)
    told = models.find("flux1-dev").problem
    assert told is not None
    assert words in told
    assert str(root / "diffusion_models" / "flux1-dev.safetensors") in told
    assert [one.problem for one in models.list()] == [told]
    away.rename(root / gone)
    models.refresh()
    assert [one.problem for one in models.list()] == [None]


def test_encoders_that_a_model_can_do_without_are_taken_where_they_are_there(root: Path) -> None:
    write_file(root / "checkpoints" / "sd3_all.safetensors", made.all_in_one_sd3())
    models = CheckpointCatalogue([root])
    assert names_of(models, "sd3_all") == {"text_encoder_3": "t5xxl_fp8_e4m3fn.safetensors"}
    (root / "text_encoders" / "t5xxl_fp8_e4m3fn.safetensors").unlink()
    assert names_of(models, "sd3_all") == {}
    inside = {**made.all_in_one_sd3(), **under("text_encoders.t5xxl.transformer.", made.t5())}
    write_file(root / "checkpoints" / "sd3_whole.safetensors", inside)
    write_file(root / "text_encoders" / "t5.safetensors", made.t5())
    models.refresh()
    assert names_of(models, "sd3_whole") == {}


def test_parts_may_be_chosen_by_hand(root: Path) -> None:
    write_file(root / "text_encoders" / "other" / "long_t5.safetensors", made.t5(), "F8_E5M2")
    write_file(root / "vae" / "other.safetensors", made.vae_of(16))
    models = CheckpointCatalogue([root])
    checkpoint = models.find("flux1-dev")
    chosen = models.with_parts(checkpoint, ["long_t5", "other.safetensors"])
    assert {part: path.name for part, path in chosen.parts.items()} == {
        "text_encoder": "clip_l.safetensors",
        "text_encoder_2": "long_t5.safetensors",
        "vae": "other.safetensors",
    }
    assert replace(chosen, parts={}) == replace(checkpoint, parts={})
    for names, words in {
        ("gone",): "VAE 'gone' is not known",
        ("encoder_b",): "does not go with flux1-dev.safetensors: Flux.1 dev is drawn with clip_l, t5xxl, a VAE flux.",
    }.items():
        write_file(root / "text_encoders" / "encoder_b.safetensors", made.language_model(2560, normed=True))
        with pytest.raises(InvalidRequest, match=words):
            models.with_parts(checkpoint, names)


def test_a_hash_that_is_made_stays_with_a_model_that_has_parts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.jobs.models.catalogue.hash_file", lambda path: "ab" * 32)
    models = CheckpointCatalogue([root])
    found = models.find("flux1-dev")
    hashed = models.hashed(found)
    assert (found.sha256, hashed) == (None, replace(found, sha256="ab" * 32))
    assert models.find("ab" * 5) == hashed
    assert models.list() == (hashed,)
