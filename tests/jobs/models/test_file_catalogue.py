"""All kinds of files are listed with what is wrong with them, found by every name, and fresh."""

import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models import file_catalogue
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.hashes import hash_file
from tests.jobs.made_files import write_file
from tests.jobs.made_models import make_model, make_vae, safetensors_bytes


def make_files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(safetensors_bytes())


def make_lora(path: Path, rank: int = 4) -> Path:
    name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    return write_file(path, {f"{name}.lora_down.weight": (rank, 320), f"{name}.lora_up.weight": (320, rank)})


def test_each_kind_has_its_own_list(tmp_path: Path) -> None:
    make_files(
        tmp_path,
        *("Stable-diffusion/dream.vae.safetensors", "VAE/sub/film.safetensors", "Lora/ink.safetensors"),
        *("LyCORIS/deep/er/oil.safetensors", "embeddings/easynegative.pt", "ESRGAN/4x.pth", "vae_approx/taesd.pth"),
        "GFPGAN/GFPGANv1.4.pth",
        *("ControlNet/canny.safetensors", "text_encoders/clip_l.safetensors", "clip/t5xxl.gguf"),
    )
    make_model(tmp_path / "Stable-diffusion" / "dream")
    files = CheckpointCatalogue([tmp_path]).files
    assert {kind: [one.name for one in files.list(kind)] for kind in file_catalogue.FILE_KINDS} == {
        "vae": ["dream.vae.safetensors", "sub/film.safetensors"],
        "text_encoder": ["clip_l.safetensors", "t5xxl.gguf"],
        "lora": ["deep/er/oil.safetensors", "ink.safetensors"],
        "embedding": ["easynegative.pt"],
        "upscaler": ["4x.pth"],
        "face_restorer": ["GFPGANv1.4.pth"],
        "controlnet": ["canny.safetensors"],
        "tiny_decoder": ["taesd.pth"],
    }
    assert files.find("vae", "dream.vae").size_bytes == len(safetensors_bytes())


def test_a_file_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    make_lora(tmp_path / "Lora" / "Styles" / "Ink.safetensors")
    make_lora(tmp_path / "Lora" / "b.safetensors", 8)
    files = CheckpointCatalogue([tmp_path]).files
    path = tmp_path / "Lora" / "Styles" / "Ink.safetensors"
    found = files.hashed(files.find("lora", "Ink"))
    assert (found.path, found.sha256) == (path, hash_file(path))
    names = ("styles/ink", "Styles\\Ink.safetensors", "ink.safetensors", found.title, found.short_hash, str(path))
    for name in names:
        assert name is not None
        assert files.find("lora", name) is found
    with pytest.raises(InvalidRequest, match=r"'ma' is not known: use one of b, Styles/Ink, or put it into models"):
        files.find("lora", "ma")
    with pytest.raises(InvalidRequest, match=r"VAE 'Ink' is not known: put it into models/VAE\."):
        files.find("vae", "Ink")


def test_two_of_one_name_are_both_there(tmp_path: Path) -> None:
    for root in ("a", "b", "c/b"):
        make_files(tmp_path / root, "vae/one.safetensors")
    files = CheckpointCatalogue([tmp_path / root for root in ("a", "b", "c/b")]).files
    named = {one.name: one.path for one in files.list("vae")}
    assert list(named) == ["b/one.safetensors", "b/vae/one.safetensors", "one.safetensors"]
    assert len(set(named.values())) == 3


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    make_files(tmp_path, "vae/half.safetensors", "vae/old.pt", "vae/odd.safetensors")
    make_vae(tmp_path / "vae" / "good.safetensors")
    make_lora(tmp_path / "vae" / "lora.safetensors")
    (tmp_path / "vae" / "half.safetensors").write_bytes(safetensors_bytes()[:-3])
    os.mkfifo(tmp_path / "vae" / "pipe.safetensors")
    (tmp_path / "vae" / os.fsdecode(b"\xff.safetensors")).write_bytes(safetensors_bytes())
    files = CheckpointCatalogue([tmp_path]).files
    told = {one.name: one.problem for one in files.list("vae")}
    assert told.pop("good.safetensors") is None
    for name, words in {
        "half.safetensors": "is cut short by 3 bytes: fetch it again.",
        "old.pt": "is a pickle, which can run code, so it is not read: use a safetensors of the same model.",
        "odd.safetensors": "is of no kind that is known here",
        "lora.safetensors": "is no VAE, but LoRA: put it into models/Lora.",
        "pipe.safetensors": "is no regular file: take it away.",
        "?.safetensors": "has a name that is not UTF-8: rename it.",
    }.items():
        problem = told.pop(name)
        assert problem is not None
        assert words in problem
        with pytest.raises(ModelError, match=r"VAE .* cannot be used"):
            files.find("vae", name).check_usable()
    assert told == {}


def test_files_come_change_and_go(tmp_path: Path) -> None:
    make_files(tmp_path, "loras/a.safetensors")
    models = CheckpointCatalogue([tmp_path])
    assert models.list() == ()
    (first,) = models.files.list("lora")
    hashed = models.files.hashed(first)
    revisions = [models.revision]
    models.refresh()
    assert models.revision == revisions[-1]
    assert models.files.list("lora") == (hashed,)

    def look() -> list[str]:
        models.refresh()
        assert models.revision > revisions[-1]
        revisions.append(models.revision)
        return [one.name for one in models.files.list("lora")]

    make_files(tmp_path, "loras/new/b.safetensors")
    assert look() == ["a.safetensors", "new/b.safetensors"]
    (tmp_path / "loras" / "a.safetensors").write_bytes(safetensors_bytes(b"\2" * 32))
    look()
    assert models.files.find("lora", "a").sha256 is None
    (tmp_path / "loras" / "a.safetensors").unlink()
    assert look() == ["new/b.safetensors"]
    with pytest.raises(InvalidRequest):
        models.files.find("lora", "a")


def test_what_is_said_beside_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    make_lora(tmp_path / "Lora" / "ink.safetensors")
    models = CheckpointCatalogue([tmp_path])
    (before,) = models.files.list("lora")
    (tmp_path / "Lora" / "ink.civitai.info").write_text('{"baseModel": "SDXL 1.0"}')
    models.refresh()
    (after,) = models.files.list("lora")
    assert after.stamp != before.stamp
    assert models.files.find("lora", "ink") is after


def test_of_thousands_the_first_are_read_at_once_and_the_others_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.jobs.models.shelf._READ_AT_ONCE", 2)
    monkeypatch.setattr("modules.jobs.models.shelf._READ_SECONDS", -1.0)
    make_files(tmp_path, *(f"loras/{number}.safetensors" for number in range(6)))
    (tmp_path / "loras" / "5.safetensors").write_bytes(b"not a model")
    models = CheckpointCatalogue([tmp_path])
    assert models.list() == ()
    assert [bool(one.stamp) for one in models.files.list("lora")] == [True, True, False, False, False, False]
    assert models.files.find("lora", "4").stamp  # who asks for it by name gets it read
    assert models.files.find("lora", "5").problem is not None
    while models.complete(0.01):
        pass
    assert all(one.stamp for one in models.files.list("lora"))
    revision = models.revision
    models.refresh()
    assert (models.complete(0.01), models.revision) == (False, revision)


def test_while_thousands_are_read_the_lists_change_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("modules.jobs.models.shelf.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr("modules.jobs.models.shelf._READ_AT_ONCE", 0)
    monkeypatch.setattr("modules.jobs.models.shelf._READ_SECONDS", -1.0)
    make_files(tmp_path, *(f"loras/{number}.safetensors" for number in range(9)))
    now = 100.0
    models = CheckpointCatalogue([tmp_path], clock=lambda: now)

    def read() -> list[str]:
        return [one.name[0] for one in models.files.list("lora") if one.stamp]

    assert read() == []
    first = models.revision
    assert models.complete(3)
    assert (models.revision, read()) == (first, [])
    assert models.files.find("lora", "0").stamp  # who asks for one by name does not wait
    now += 1.5
    assert models.complete(3)
    assert read() == ["0", "1", "2", "3"]
    assert models.complete(3)
    (tmp_path / "loras" / "0.safetensors").unlink()
    models.refresh()  # A look in between loses nothing, and brings nothing back.
    while models.complete(3):
        pass
    assert read() == ["1", "2", "3", "4", "5", "6", "7", "8"]
