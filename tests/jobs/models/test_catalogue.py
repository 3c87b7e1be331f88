"""Models are found with what they lack, their native size and a hash that does not change."""

import json
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest, ModelError
from modules.jobs.models import catalogue as checkpoints
from modules.jobs.models import folder as models_folder
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.jobs.models.hashes import hash_folder
from modules.jobs.models.scan import Scan, scan
from modules.jobs.models.weight_files import weights_of_model
from modules.paths import ROOT
from tests.jobs.made_models import hash_of_the_first_versions, make_model, safetensors_bytes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder in which models lie."""
    return tmp_path / "models" / "Stable-diffusion"


def catalogue(place: Path, **arguments: Any) -> CheckpointCatalogue:
    return CheckpointCatalogue([place.parent], **arguments)


def test_the_embedded_model_is_whole() -> None:
    embedded = CheckpointCatalogue([ROOT / "models"]).find("emoji")
    assert embedded.problem is None
    assert (embedded.native_width, embedded.native_height) == (256, 256)
    assert embedded.title == f"emoji [{embedded.short_hash}]"
    assert embedded.tokenizer_file is not None


def test_a_model_is_found_by_each_of_its_names(place: Path) -> None:
    make_model(place / "Dream")
    models = catalogue(place)
    found = models.find("Dream")
    assert (found.kind, found.problem, found.native_width, found.native_height) == ("folder", None, 512, 512)
    assert found.defaults == ModelDefaults(steps=20, cfg_scale=7.0, sampler_name="Euler", scheduler="Automatic")
    assert found.sha256 is not None
    assert found.short_hash is not None
    for name in (found.title, found.sha256, found.short_hash, " dream ", "Dream [0000000000]"):
        assert models.find(name) is found


def test_an_unknown_name_lists_the_known_ones(place: Path) -> None:
    with pytest.raises(InvalidRequest, match="put a model into models/Stable-diffusion"):
        catalogue(place).find("Dream")
    for number in range(14):
        make_model(place / f"model-{number:02}")
    with pytest.raises(InvalidRequest) as caught:
        catalogue(place).find("Dream")
    assert caught.value.field == "sd_model_checkpoint"
    known = ", ".join(f"model-{number:02}" for number in range(12))
    assert str(caught.value) == f"Checkpoint 'Dream' is not known: use one of {known} and 2 more."


@pytest.mark.parametrize(
    ("configs", "width", "height"),
    [
        ({"unet": {"sample_size": 96}}, 768, 768),
        ({"unet": {"sample_size": [64, 96]}}, 768, 512),
        ({"unet": {"sample_size": 32}, "vae": {"block_out_channels": [1, 2, 3]}}, 128, 128),
        ({"unet": {"sample_size": 16}, "vae": {"encoder_block_out_channels": [1, 2, 3, 4, 5, 6]}}, 512, 512),
        ({"unet": {}}, 512, 512),
        ({"vae": {}}, 512, 512),
    ],
)
def test_native_size_follows_from_the_configs(
    place: Path, configs: dict[str, dict[str, Any]], width: int, height: int
) -> None:
    make_model(place / "model", b"\0" * 16, **configs)
    found = catalogue(place).find("model")
    assert (found.native_width, found.native_height) == (width, height)


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("model_index.json", "model_index.json"),
        ("unet/config.json", "unet/config.json"),
        ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors"),
        ("text_encoder/model.safetensors", "text_encoder/model.safetensors"),
        ("scheduler/scheduler_config.json", "scheduler/scheduler_config.json"),
        ("tokenizer/tokenizer.json", "tokenizer/tokenizer.json"),
    ],
)
def test_a_missing_file_is_named_and_the_model_refused(place: Path, missing: str, named: str) -> None:
    folder = make_model(place / "model")
    (folder / missing).unlink()
    found = catalogue(place).find("model")
    assert found.problem == f"{named} is missing in {folder}: fetch the model again, or take the folder away."
    assert found.title == "model"
    with pytest.raises(ModelError, match=f"Checkpoint model cannot be used: {named} is missing"):
        found.check_usable()


def test_a_file_that_was_cut_short_is_named(place: Path) -> None:
    folder = make_model(place / "model")
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(safetensors_bytes()[:-5])
    name = "vae/diffusion_pytorch_model.safetensors"
    assert catalogue(place).find("model").problem == f"{name} in {folder} is cut short by 5 bytes: fetch it again."
    for damaged in (b"", b"1234567", b"\xff" * 20, (8).to_bytes(8, "little") + b"not json"):
        (folder / name).write_bytes(damaged)
        problem = catalogue(place).find("model").problem
        assert problem is not None
        assert problem.startswith((f"{name} in {folder} is not a", f"{name} in {folder} is empty"))


def test_a_missing_part_of_split_weights_is_named(place: Path) -> None:
    folder = make_model(place / "model")
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "unet" / "part-1.safetensors").write_bytes(safetensors_bytes())
    problem = catalogue(place).find("model").problem
    assert problem is not None
    assert problem.startswith("unet/part-2.safetensors is missing")


def test_pickles_are_refused(place: Path) -> None:
    folder = make_model(place / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert catalogue(place).find("model").problem == (
        f"unet/diffusion_pytorch_model.bin in {folder} is a pickle, which can run code: convert it to safetensors."
    )


def test_the_model_says_its_own_defaults(place: Path) -> None:
    folder = make_model(place / "model")
    (folder / "defaults.json").write_text('{"steps": 4, "cfg_scale": 1, "sampler_name": "LCM", "note": "fast"}')
    assert catalogue(place).find("model").defaults == ModelDefaults(steps=4, cfg_scale=1.0, sampler_name="LCM")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"steps": "many"}', 'steps "many" is not a whole number: use 1 to 150.'),
        ('{"steps": -5}', "steps -5 is not possible: use 1 to 150."),
        ('{"steps": 1e9}', "steps 1,000,000,000 is not possible: use 1 to 150."),
        ('{"cfg_scale": NaN}', "cfg_scale NaN is not a number: use 0 to 30."),
        ('{"cfg_scale": -Infinity}', "cfg_scale -Infinity is not a number: use 0 to 30."),
        ('{"sampler_name": "Magic"}', "Sampler 'Magic' is not known: use one of Euler, Euler a,"),
        ('{"sampler_name": "PLMS", "scheduler": "Karras"}', "Schedule type Karras does not go with sampler PLMS"),
        ('{"sampler_name": 5}', "sampler_name: Input should be a valid string."),
    ],
)
def test_defaults_that_are_not_possible_are_told(place: Path, said: str, told: str) -> None:
    folder = make_model(place / "model")
    (folder / "defaults.json").write_text(said)
    found = catalogue(place).find("model")
    assert found.problem is not None
    assert found.problem.startswith(f"defaults.json in {folder} is not possible. {told}")
    assert found.problem.endswith("Repair it, or take it away.")
    assert found.defaults == ModelDefaults()


def test_unknown_names_cause_one_look_a_second_and_one_when_a_model_comes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(place / "model")
    looks: list[Path] = []

    def watched(folder: Path, suffixes: Collection[str], folders: bool) -> Scan:
        looks.append(folder)
        return scan(folder, suffixes, folders)

    monkeypatch.setattr(checkpoints, "scan", watched)
    now = [100.0]
    models = catalogue(place, clock=lambda: now[0])
    for _ in range(50):
        with pytest.raises(InvalidRequest):
            models.find("absent")
    assert len(looks) == 1
    now[0] += 1
    for _ in range(50):
        with pytest.raises(InvalidRequest):
            models.find("absent")
    assert len(looks) == 2
    os.utime(place, ns=(1, 1))  # Two changes within one tick of the clock look the same.
    make_model(place / "new")
    assert models.find("new").problem is None


def test_the_hash_follows_from_the_weights_alone(place: Path) -> None:
    make_model(place / "one")
    make_model(place / "two")
    make_model(place / "other", weights=b"\1" * 16)
    models = catalogue(place)
    assert models.find("one").sha256 == models.find("two").sha256 != models.find("other").sha256


def test_the_hash_is_of_what_is_loaded(place: Path) -> None:
    """What docs/running.md tells people to add does not make another model of it."""
    folder = make_model(place / "model")
    before = catalogue(place).find("model").sha256
    for name in (
        "preview_decoder/diffusion_pytorch_model.safetensors",
        "safety_checker/model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/model.fp16-00001-of-00002.safetensors",
        "vae/diffusion_pytorch_model-00001-of-00002.fp16.safetensors",
        "unet/._diffusion_pytorch_model.safetensors",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(safetensors_bytes(b"\3" * 16))
    assert catalogue(place).find("model").sha256 == before
    assert weights_of_model(folder) == [
        folder / "text_encoder/model.safetensors",
        folder / "unet/diffusion_pytorch_model.safetensors",
        folder / "vae/diffusion_pytorch_model.safetensors",
    ]
    (folder / "unet/more.safetensors").write_bytes(safetensors_bytes())
    assert catalogue(place).find("model").sha256 != before


def test_a_hash_of_the_first_versions_is_known_again() -> None:
    """They hashed all that lies in a model's folders, the preview decoder of the embedded model too."""
    models = CheckpointCatalogue([ROOT / "models"])
    emoji = models.find("emoji")
    was = hash_of_the_first_versions(emoji.path)
    assert emoji.sha256 != was
    assert models.had_hash(emoji, was)
    assert not models.had_hash(emoji, "0" * 64)


def test_a_model_that_is_known_is_read_again_when_its_files_change(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_model(place / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    models = catalogue(place)
    first = models.find("model")
    looks: list[str] = []

    def watched(name: str, path: Path) -> Checkpoint:
        looks.append(name)
        return models_folder.look_at(name, path)

    monkeypatch.setattr(checkpoints, "look_at", watched)
    assert models.find("model") is first
    (folder / "README.md").write_text("Nothing that a load reads.")
    models.refresh()
    assert models.find("model") is first
    assert looks == []
    weights.write_bytes(safetensors_bytes(b"\4" * 16))
    os.utime(weights, ns=(1, 1))
    second = models.find("model")
    assert second.sha256 != first.sha256
    weights.unlink()
    assert models.find("model").problem is not None
    weights.write_bytes(safetensors_bytes(b"\4" * 16))
    assert models.find("model").sha256 == second.sha256
    (folder / "defaults.json").write_text('{"steps": 3}')
    assert models.find("model").defaults.steps == 3
    shutil.rmtree(folder)
    with pytest.raises(InvalidRequest, match="Checkpoint 'model' is not known"):
        models.find("model")


def test_a_file_that_changes_while_it_is_hashed_is_hashed_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_model(place / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"

    def hash_and_change(of: Path, files: Sequence[Path]) -> str:
        digest = hash_folder(of, files)
        weights.write_bytes(safetensors_bytes(b"\5" * 16))
        os.utime(weights, ns=(1, 1))
        return digest

    models = catalogue(place)
    monkeypatch.setattr(checkpoints, "hash_folder", hash_and_change)
    before = models.list()[0].sha256
    monkeypatch.undo()
    assert models.find("model").sha256 not in (None, before)


def test_single_files_are_listed_with_the_reason_why_they_cannot_be_used(place: Path) -> None:
    make_model(place / "model")
    (place / "styles").mkdir()
    (place / "empty").mkdir()
    for name in ("dream.safetensors", "styles/ink.safetensors", "old.ckpt", "dream.vae.safetensors", ".x.safetensors"):
        (place / name).write_bytes(safetensors_bytes())
    (place / "half.safetensors").write_bytes(safetensors_bytes()[:-5])
    (place / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    (place / "notes.txt").write_text("no model")
    models = catalogue(place)
    listed = {one.name: one for one in models.list()}
    assert list(listed) == [
        "dream.safetensors",
        "empty",
        "half.safetensors",
        "model",
        "old.ckpt",
        "styles/ink.safetensors",
    ]
    for name, words in {
        "dream.safetensors": f"{place / 'dream.safetensors'} is of no kind that is known here (it has one tensor",
        "styles/ink.safetensors": "is of no kind that is known here",
        "half.safetensors": f"{place / 'half.safetensors'} is cut short by 5 bytes: fetch it again.",
        "old.ckpt": "is a pickle, which can run code, so it is not read: use a safetensors of the same model.",
        "empty": "model_index.json is missing in",
    }.items():
        problem = listed[name].problem
        assert problem is not None
        assert words in problem
        assert listed[name].kind == ("folder" if name == "empty" else "file")
    for asked in ("dream", "dream.safetensors", "dream.safetensors [0123456789]", "Dream"):
        with pytest.raises(ModelError, match=r"Checkpoint dream\.safetensors cannot be used: .* is of no kind"):
            models.find(asked).check_usable()


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({}, "does not say what kind of model it is (_class_name): fetch it again."),
        ({"_class_name": 5}, "does not say what kind of model it is (_class_name): fetch it again."),
        ({"_class_name": "OddPipeline"}, "is a OddPipeline, which this version does not know: use a model"),
        (
            {"_class_name": "StableDiffusionPipeline", "vae": ["diffusers", "AutoencoderKL"], "unet": [None, None]},
            "names no unet and no text_encoder and no tokenizer and no scheduler: fetch the model again.",
        ),
    ],
)
def test_an_index_without_a_model_is_no_model(place: Path, index: dict[str, Any], words: str) -> None:
    folder = make_model(place / "broken")
    (folder / "model_index.json").write_text(json.dumps(index))
    problem = catalogue(place).find("broken").problem
    assert problem is not None
    assert words in problem
    assert str(folder) in problem


def test_hashes_are_remembered_between_starts_until_a_file_changes(place: Path, tmp_path: Path) -> None:
    folder = make_model(place / "model")
    cache = tmp_path / "hashes.json"
    first = catalogue(place, hash_cache=cache).find("model").sha256
    assert json.loads(cache.read_text()) != {}
    cache.write_text(cache.read_text().replace(str(first), "f" * 64))
    assert catalogue(place, hash_cache=cache).find("model").sha256 == "f" * 64  # not hashed again
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(safetensors_bytes(b"\2" * 16))
    os.utime(weights, ns=(1, 1))
    assert catalogue(place, hash_cache=cache).find("model").sha256 not in (first, "f" * 64)
    cache.write_text("{")
    assert catalogue(place, hash_cache=cache).find("model").sha256 is not None


def test_a_large_model_is_hashed_when_it_is_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.jobs.models.catalogue._HASH_AT_ONCE_BYTES", 10)
    make_model(place / "large")
    models = catalogue(place)
    before = models.find("large")
    assert (before.sha256, before.title) == (None, "large")
    after = models.hashed(before)
    assert after.sha256 is not None
    assert models.find("large") is after
    assert models.hashed(after) is after


def test_new_models_are_seen_and_each_is_listed_once(place: Path, tmp_path: Path) -> None:
    make_model(place / "b")
    (place / ".hidden").mkdir()
    more = tmp_path / "more" / "Stable-diffusion"
    make_model(more / "b")
    (more / "link").symlink_to(place / "b")
    models = CheckpointCatalogue([place.parent, more.parent, tmp_path / "missing"])
    assert [model.name for model in models.list()] == ["b", "more/b"]
    make_model(place / "a")
    assert models.find("a").name == "a"
    assert [model.name for model in models.list()] == ["a", "b", "more/b"]


def test_a_folder_that_is_repaired_after_several_looks_is_listed_as_whole(tmp_path: Path) -> None:
    model = make_model(tmp_path / "Stable-diffusion" / "one")
    config = model / "unet" / "config.json"
    whole = config.read_bytes()
    config.unlink()
    catalogue = CheckpointCatalogue([tmp_path])
    assert [catalogue.find("one").problem is None for _ in range(3)] == [False] * 3
    config.write_bytes(whole)
    assert catalogue.find("one").problem is None
    assert [one.problem for one in catalogue.list()] == [None]
