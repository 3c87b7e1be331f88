"""VAEs in files of their own: found in their folder and beside checkpoints, by any name, and by a checkpoint's name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.models.vae_catalogue import VaeCatalogue
from tests.jobs.made_models import make_model, make_vae


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("VAE/soft.safetensors", "VAE/sub/sharp.safetensors", "Stable-diffusion/dream.vae.safetensors"):
        make_vae(tmp_path / name)
    make_model(tmp_path / "Stable-diffusion" / "folder")
    return tmp_path


@pytest.fixture
def vaes(folder: Path) -> VaeCatalogue:
    return CheckpointCatalogue([folder]).vaes


def model(path: Path, **changes: Any) -> Checkpoint:
    kind = "folder" if path.suffix == "" else "file"
    return Checkpoint(path.name, path, kind, 512, 512, None, ModelDefaults(), None, None, **changes)  # type: ignore[arg-type]


def test_they_lie_in_their_folder_and_beside_checkpoints(vaes: VaeCatalogue) -> None:
    assert [vae.name for vae in vaes.list()] == ["dream.vae.safetensors", "soft.safetensors", "sub/sharp.safetensors"]
    assert all(vae.problem is None and vae.latent_channels == 4 for vae in vaes.list())


@pytest.mark.parametrize(
    "name", ["sub/sharp.safetensors", "sharp.safetensors", "SHARP", "sub\\sharp", "sharp [1a2b3c]"]
)
def test_any_name_of_it_will_do(vaes: VaeCatalogue, name: str) -> None:
    assert vaes.find(name).name == "sub/sharp.safetensors"


def test_the_hash_is_that_of_the_file_and_a_name_too(folder: Path, vaes: VaeCatalogue) -> None:
    digest = hashlib.sha256((folder / "VAE/soft.safetensors").read_bytes()).hexdigest()
    assert vaes.hashed(vaes.find("soft")).sha256 == digest
    vaes.refresh()
    assert vaes.find(digest[:10]).name == vaes.find(digest).name


def test_who_asks_for_one_that_is_not_there_is_told_which_are(vaes: VaeCatalogue) -> None:
    with pytest.raises(
        InvalidRequest, match=r"VAE 'gone' is not known: use Automatic, None, dream.vae.safetensors, so"
    ):
        vaes.find("gone")


def test_a_new_file_is_found_and_a_changed_one_is_read_again(folder: Path, vaes: VaeCatalogue) -> None:
    vaes.list()
    make_vae(folder / "VAE/new.safetensors")
    assert vaes.find("new").problem is None
    (folder / "VAE/new.safetensors").write_bytes(b"nothing")
    vaes.refresh()
    assert "is not a whole safetensors file" in str(vaes.find("new").problem)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("old.pt", b"pickled", "old.pt is a pickle, which can run code, so it is not read: use a safetensors"),
        ("cut.safetensors", b"\xff\0\0\0\0\0\0\0{}", "is not a whole safetensors file: fetch it again"),
    ],
)
def test_what_cannot_be_used_says_why(
    folder: Path, vaes: VaeCatalogue, name: str, content: bytes, problem: str
) -> None:
    (folder / "VAE" / name).write_bytes(content)
    with pytest.raises(ModelError, match=problem):
        vaes.find(name).check_usable()


def test_a_checkpoint_in_the_folder_is_no_vae(folder: Path, vaes: VaeCatalogue) -> None:
    make_vae(folder / "VAE" / "lora.safetensors", first="lora_unet.weight")
    with pytest.raises(ModelError, match="holds no decoder, so it is no VAE"):
        vaes.find("lora").check_usable()


def test_automatic_is_the_one_with_the_checkpoints_name_and_no_longer_word(folder: Path, vaes: VaeCatalogue) -> None:
    place = folder / "Stable-diffusion"
    found = vaes.of_checkpoint(model(place / "dream.safetensors"))
    assert found is not None
    assert found.name == "dream.vae.safetensors"
    # A1111's own rule would give the VAE of "dreamer" to "dream": the word has to end where the name does.
    make_vae(folder / "VAE" / "paintings.safetensors")
    vaes.refresh()
    assert vaes.of_checkpoint(model(place / "paint.safetensors")) is None
    assert vaes.of_checkpoint(model(place / "folder")) is None


def test_one_that_can_be_read_comes_before_a_pickle(folder: Path, vaes: VaeCatalogue) -> None:
    (folder / "Stable-diffusion/dream.vae.pt").write_bytes(b"pickled")
    vaes.refresh()
    found = vaes.of_checkpoint(model(folder / "Stable-diffusion/dream.ckpt"))
    assert found is not None
    assert found.path.suffix == ".safetensors"


@pytest.mark.parametrize(
    ("named", "found"),
    [("sharp", "sub/sharp.safetensors"), ("None", None), ("Automatic", "dream.vae.safetensors"), (5, None)],
)
def test_a_side_car_may_name_another_one(folder: Path, vaes: VaeCatalogue, named: Any, found: str | None) -> None:
    (folder / "Stable-diffusion/dream.json").write_text(json.dumps({"vae": named}))
    chosen = vaes.of_checkpoint(model(folder / "Stable-diffusion/dream.safetensors"))
    expected = found or ("dream.vae.safetensors" if named == 5 else None)
    assert (chosen.name if chosen else None) == expected
