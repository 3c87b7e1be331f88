"""The files beside a single file that a job is drawn with: chosen by hand, kept in its row, and told of."""

from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.images.infotext import write
from modules.jobs.kinds.base import ResolvedJob, Source, Sources
from modules.jobs.kinds.choice import Choice, Models
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings
from tests.jobs import made_transformers as made
from tests.jobs.made_files import write_file
from tests.jobs.made_jobs import resolved_job
from tests.jobs.made_models import make_model
from tests.jobs.made_unets import clip

AUTOMATIC = {"text_encoder": "clip_l.safetensors", "text_encoder_2": "t5xxl.safetensors", "vae": "ae.safetensors"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Flux.1 with all that it is drawn with, a second T5 and a second VAE; too large to be hashed at once."""
    monkeypatch.setattr("modules.jobs.models.catalogue._HASH_AT_ONCE_BYTES", 0)
    write_file(tmp_path / "diffusion_models" / "flux1-dev.safetensors", made.flux(), "BF16")
    write_file(tmp_path / "text_encoders" / "clip_l.safetensors", clip())
    write_file(tmp_path / "text_encoders" / "t5xxl.safetensors", made.t5())
    write_file(tmp_path / "text_encoders" / "sub" / "small_t5.safetensors", made.t5(), "F8_E4M3")
    write_file(tmp_path / "vae" / "ae.safetensors", made.vae_of(16))
    write_file(tmp_path / "vae" / "other.safetensors", made.vae_of(16))
    return tmp_path


def found(root: Path, modules: Any, settings: Settings | None = None, **overrides: Any) -> Models:
    request = validate_drawing("txt2img", {"override_settings": {"forge_additional_modules": modules} | overrides})
    return request.find_models(CheckpointCatalogue([root]), settings or Settings(sd_model_checkpoint="flux1-dev"))


def names_of(models: Models) -> dict[str, str]:
    assert {part: file.path for part, file in models.parts.items()} == models.checkpoint.parts
    return {part: file.name for part, file in models.parts.items()}


@pytest.mark.parametrize("none", [None, [], "", ["", None]])
def test_nothing_chosen_is_what_the_program_chooses(root: Path, none: Any) -> None:
    models = found(root, none)
    assert (names_of(models), models.modules) == (AUTOMATIC, ())


@pytest.mark.parametrize(
    "name",
    ["small_t5", "sub/small_t5.safetensors", "/far/away/small_t5.safetensors", "C:\\f\\SMALL_T5.safetensors"],
)
def test_a_name_or_a_path_of_elsewhere_chooses(root: Path, name: str) -> None:
    models = found(root, [name, "other"])
    chosen = {"text_encoder_2": "sub/small_t5.safetensors", "vae": "other.safetensors"}
    assert names_of(models) == AUTOMATIC | chosen
    assert models.modules == ("sub/small_t5.safetensors", "other.safetensors")
    assert names_of(found(root, name))["text_encoder_2"] == "sub/small_t5.safetensors"


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        (["gone"], "Text encoder or VAE 'gone' is not known: use some of clip_l, sub/small_t5, t5xxl, ae, other, or"),
        (["small_t5", "t5xxl"], "small_t5.safetensors and t5xxl.safetensors do the same for flux1-dev.safeten"),
        (5, "forge_additional_modules 5 is no list of names: send"),
        ([5], "A name in forge_additional_modules 5 is not a text: send a string"),
        (["a"] * 9, "forge_additional_modules has 9 names: send at most 8"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_told(root: Path, modules: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        found(root, modules)
    assert refused.value.field in ("forge_additional_modules", "override_settings")


def test_a_folder_has_all_its_parts(root: Path) -> None:
    make_model(root / "Stable-diffusion" / "whole")
    with pytest.raises(InvalidRequest, match="whole has all its parts, so no files can be chosen"):
        found(root, ["ae"], sd_model_checkpoint="whole")


def test_a_file_that_cannot_be_drawn_with_stays_so(root: Path) -> None:
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "broken.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(ModelError, match=r"Checkpoint broken.safetensors cannot be used"):
        found(root, ["ae"], sd_model_checkpoint="broken")


def test_a_vae_chosen_by_hand_is_the_only_one(root: Path) -> None:
    settings = Settings(sd_model_checkpoint="flux1-dev", sd_vae="other")
    assert found(root, ["ae"], settings).vae is None
    beside = found(root, ["small_t5"], settings).vae
    assert beside is not None
    assert beside.name == "other.safetensors"
    with pytest.raises(InvalidRequest, match=r"Two VAEs are chosen, other \(sd_vae\) and ae.safetensors"):
        found(root, ["ae"], sd_vae="other")


def test_a_row_keeps_the_files_whoever_chose_them(root: Path) -> None:
    catalogue = CheckpointCatalogue([root])
    catalogue.files.hashed(catalogue.files.find("vae", "ae"))
    models = validate_drawing("txt2img", {}).find_models(catalogue, Settings(sd_model_checkpoint="flux1-dev"))
    choice = Choice.of(models)
    assert Choice.in_row({"chosen": choice.model_dump(mode="json")}) == choice
    parts = choice.checkpoint.parts
    assert parts is not None
    assert {part: file.name for part, file in parts.items()} == AUTOMATIC
    assert parts["vae"].hash == catalogue.files.find("vae", "ae").sha256 is not None
    assert (parts["text_encoder"].hash, len(parts["text_encoder"].stamp)) == (None, 64)
    of_before = {"checkpoint": {"name": "flux1-dev.safetensors", "hash": None}}
    old = Choice.in_row({"chosen": of_before})
    assert old is not None
    assert (old.checkpoint.parts, old.modules) == (None, ())


def beside(modules: tuple[str, ...] = ()) -> ResolvedJob:
    job = resolved_job()
    parts = {"vae": Source(name="sub/ae.safetensors", hash="c" * 64)}
    checkpoint = job.sources.checkpoint.model_copy(update={"parts": parts})
    return job.model_copy(update={"sources": Sources(checkpoint=checkpoint, modules=modules)})


def test_files_beside_a_model_decide_the_picture_and_only_chosen_ones_are_in_the_infotext() -> None:
    plain = TXT2IMG.picture(resolved_job(), 0)
    parts = {"parts": {"vae": {"name": "sub/ae.safetensors", "hash": "c" * 64}}}
    assert TXT2IMG.picture(beside(), 0) == plain | parts
    assert write(beside(), 0) == write(resolved_job(), 0)
    by_hand = beside(("sub/ae.safetensors", "t5xxl.safetensors"))
    names = {"forge_additional_modules": ["sub/ae.safetensors", "t5xxl.safetensors"]}
    assert TXT2IMG.picture(by_hand, 0) == plain | parts | names
    assert ", Model: emoji, Module 1: ae, Module 2: t5xxl, Version" in write(by_hand, 0)
    without = by_hand.model_copy(update={"saving": by_hand.saving.model_copy(update={"add_model_name_to_info": False})})
    assert "Module" not in write(without, 0)


def test_a_resolved_row_is_read_as_it_was_written() -> None:
    for job in (resolved_job(), beside(("sub/ae.safetensors",))):
        assert ResolvedJob.model_validate(job.model_dump(mode="json")) == job
    row = resolved_job().model_dump(mode="json")
    del row["sources"]["checkpoint"]["parts"], row["sources"]["modules"]
    assert ResolvedJob.model_validate(row).sources.checkpoint.parts is None
