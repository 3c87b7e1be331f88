"""What headers say is remembered between starts, and never of a file that is another one by now."""

import json
import os
from pathlib import Path

import pytest

from modules.jobs.models import fact_cache
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.fact_cache import FactCache
from tests.jobs import made_transformers, made_unets
from tests.jobs.made_files import write_file


class Library:
    """A models folder with a model and a text encoder, and the file that remembers what they are."""

    def __init__(self, root: Path) -> None:
        self.model = write_file(root / "models" / "unet" / "Dream.safetensors", made_transformers.flux(), "BF16")
        self.encoder = write_file(root / "models" / "clip" / "clip_l.safetensors", made_unets.clip())
        (root / "models" / "clip" / "broken.safetensors").write_bytes(b"not a model")
        self.root, self.cache, self.hashes = root, root / "data" / "facts.jsonl", root / "data" / "hashes.json"

    def started(self) -> CheckpointCatalogue:
        """Return the catalogue of a process that starts, when all was read and written."""
        catalogue = CheckpointCatalogue([self.root / "models"], self.hashes, self.cache)
        catalogue.list()
        while catalogue.complete(1.0):
            pass
        return catalogue

    def look(self) -> list[tuple[str, str, str | None]]:
        """Return name, family or use, and problem of each, as a new process knows them."""
        catalogue = self.started()
        models = [(one.name, one.family, one.problem) for one in catalogue.list()]
        return models + [(one.name, one.does, one.problem) for one in catalogue.files.list("text_encoder")]


def spoil(path: Path) -> None:
    """Write other bytes into a file, which nobody sees who does not read it."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"\xff" * 64)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_second_start_reads_no_file_that_did_not_change(library: Library) -> None:
    before = library.look()
    assert [(name, of) for name, of, _problem in before[:1] + before[2:]] == [
        ("Dream.safetensors", "flux"),
        ("clip_l.safetensors", "clip_l"),
    ]
    spoil(library.model)
    spoil(library.encoder)
    assert library.look() == before
    os.utime(library.model, ns=(1, 1))
    changed, *others = library.look()
    assert (changed[1], changed[2] is None) == ("", False)
    assert others == before[1:]


def test_all_that_is_known_of_a_model_is_remembered_and_its_hash_is_the_newest(library: Library) -> None:
    def model() -> Checkpoint:
        (found,) = library.started().list()
        return found

    before = model()
    assert before.sha256 is not None
    assert (before.needs["text_encoder"], before.defaults.cfg_scale) == ("clip_l", 1.0)
    assert model() == before
    library.hashes.write_text(library.hashes.read_text().replace(before.sha256, "f" * 64))
    assert model().sha256 == "f" * 64


def test_what_is_said_beside_a_model_makes_it_read_again(library: Library) -> None:
    library.look()
    library.model.with_suffix(".defaults.json").write_text('{"steps": 7}')
    (model,) = library.started().list()
    assert model.defaults.steps == 7


def test_a_file_with_a_problem_is_looked_at_each_time(library: Library) -> None:
    library.look()
    assert "clip_l" in library.cache.read_text()
    assert "broken" not in library.cache.read_text()


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"rules": "of another version"}\n[1]'])
def test_a_damaged_cache_costs_only_the_reading(library: Library, data: bytes) -> None:
    before = library.look()
    library.cache.write_bytes(data)
    assert library.look() == before
    spoil(library.model)
    assert library.look() == before  # it was written anew


def test_one_damaged_line_spoils_no_other(library: Library) -> None:
    before = library.look()
    first, *lines = library.cache.read_text().splitlines()
    odd = ["nonsense", "[1, 2]", '"a"\t', "\t\t\t"]
    for number, line in enumerate(list(lines)):
        key, stamp, facts = line.split("\t")
        if "model" in json.loads(key):
            lines[number] = f"{key}\t{stamp}\t{json.dumps(json.loads(facts) | {'needs': 5})}"
        elif number == 0:
            lines.append(f"{key}x\t{stamp}\t[[[")
    library.cache.write_text("\n".join([first, *odd, *lines]))
    spoil(library.encoder)
    assert library.look() == before


def test_two_processes_keep_what_each_found(tmp_path: Path) -> None:
    one, other = FactCache(tmp_path / "facts"), FactCache(tmp_path / "facts")
    one.put("lora", Path("a"), "1", {"of": "one"})
    other.put("lora", Path("b"), "1", {"of": "other"})
    one.save()
    other.save()
    third = FactCache(tmp_path / "facts")
    assert [third.get("lora", Path(name), "1") for name in "ab"] == [{"of": "one"}, {"of": "other"}]
    assert third.get("lora", Path("a"), "2") is None
    assert third.get("vae", Path("a"), "1") is None


def test_of_too_many_those_stay_that_are_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_cache, "_MOST_ENTRIES", 3)
    first = FactCache(tmp_path / "facts")
    for name in "abc":
        first.put("lora", Path(name), "1", name)
    first.save()
    second = FactCache(tmp_path / "facts")
    assert second.get("lora", Path("a"), "1") == "a"
    second.put("lora", Path("d"), "1", "d")
    second.save()
    third = FactCache(tmp_path / "facts")
    assert [third.get("lora", Path(name), "1") for name in "abcd"] == ["a", None, "c", "d"]


def test_another_version_of_the_program_reads_all_anew(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.look()
    spoil(library.model)
    rules = library.root / "rules"
    rules.mkdir()
    (rules / "detection.py").write_text("# another rule")
    monkeypatch.setattr(fact_cache, "_RULES", (rules,))
    assert library.look()[0][1] == ""


def test_while_thousands_are_read_the_cache_is_not_written_each_time(tmp_path: Path) -> None:
    now = 0.0
    cache = FactCache(tmp_path / "facts", clock=lambda: now)
    cache.put("lora", Path("a"), "1", {})
    cache.save(at_once=False)
    assert not (tmp_path / "facts").exists()
    now = 60.0
    cache.save(at_once=False)
    assert (tmp_path / "facts").exists()
