"""LoRAs and embeddings: what their headers tell, what prompts call them, and by which hash a job knows them."""

import hashlib
import json
from pathlib import Path

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.hashes import hash_file_and_tensors
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.network_facts import NetworkFacts
from tests.jobs.made_files import Shape, write_file
from tests.jobs.made_networks import CROSS, make_embedding, make_lora, make_pair

FREQUENCY = {"10_ink": {"ink splash": 40, " bold outline ": 7, "odd": "x"}, "2_more": {"ink splash": 2}, "none": []}


def facts(file: ModelFile) -> NetworkFacts:
    assert file.problem is None
    assert file.network is not None
    return file.network


def test_a_lora_tells_what_it_is(tmp_path: Path) -> None:
    make_lora(
        tmp_path / "Lora" / "a.safetensors",
        width=2048,
        rank=16,
        metadata={
            "ss_output_name": " ink  v2 ",
            "ss_tag_frequency": json.dumps(FREQUENCY),
            "modelspec.trigger_phrase": "ink style",
        },
    )
    (file,) = CheckpointCatalogue([tmp_path]).files.list("lora")
    assert (file.family, facts(file)) == (
        "sdxl",
        NetworkFacts(
            alias="ink v2", algorithm="LoRA", rank=16, width=2048, trigger="ink style",
            tags=(("ink splash", 42), ("bold outline", 7)),
        ),
    )  # fmt: skip


def test_each_kind_is_told_by_its_parts(tmp_path: Path) -> None:
    made: dict[str, dict[str, Shape]] = {
        "LoHa": {f"{CROSS}.hada_w1_a": (320, 8), f"{CROSS}.hada_w1_b": (8, 768)},
        "LoKr": {f"{CROSS}.lokr_w1": (4, 4), f"{CROSS}.lokr_w2_a": (80, 6), f"{CROSS}.lokr_w2_b": (6, 192)},
        "OFT": {f"{CROSS}.oft_blocks": (4, 80, 80)},
        "DoRA": {f"{CROSS}.lora_down.weight": (8, 768), f"{CROSS}.dora_scale": (320, 1)},
        "GLoRA": {f"{CROSS}.{part}.weight": (8, 768) for part in ("a1", "a2", "b1", "b2")},
        "(IA)3": {f"{CROSS}.weight": (320,), f"{CROSS}.on_input": ()},
        "Full": {f"{CROSS}.diff": (320, 768)},
        "LoRA": {f"{CROSS}.lora_A.weight": (8, 768), "bundle_emb.sprig.string_to_param.*": (2, 768)},
    }
    for name, tensors in made.items():
        write_file(tmp_path / "Lora" / f"{name}.safetensors", tensors)
    found = {file.stem: facts(file) for file in CheckpointCatalogue([tmp_path]).files.list("lora")}
    assert {name: one.algorithm for name, one in found.items()} == {name: name for name in made}
    assert {name: one.rank for name, one in found.items() if one.rank} == {"LoHa": 8, "LoKr": 6, "DoRA": 8, "LoRA": 8}
    assert found["LoRA"].bundled == ("sprig",)


def test_what_nobody_would_write_is_passed_over(tmp_path: Path) -> None:
    odd = {"deep": "[" * 100_000, "list": "[1]", "text": "no json", "null": json.dumps({"a": {"b": None, "c": -1}})}
    for name, frequency in odd.items():
        make_lora(tmp_path / "Lora" / f"{name}.safetensors", metadata={"ss_tag_frequency": frequency})
    for file in CheckpointCatalogue([tmp_path]).files.list("lora"):
        assert facts(file).tags == ()


def test_an_embedding_tells_how_many_tokens_it_takes(tmp_path: Path) -> None:
    make_embedding(tmp_path / "embeddings" / "one.safetensors", vectors=5)
    make_pair(tmp_path / "embeddings" / "sub" / "two.safetensors", vectors=3)
    write_file(tmp_path / "embeddings" / "three.safetensors", {"<cat>": (1024,)}, dtype="F32")
    (tmp_path / "embeddings" / "old.pt").write_bytes(b"PK\x03\x04pickled")
    catalogue = CheckpointCatalogue([tmp_path])
    files = {file.stem: file for file in catalogue.files.list("embedding")}
    told = {name: (one.family, one.network and (one.network.vectors, one.network.width)) for name, one in files.items()}
    assert told == {
        "one": ("sd1", (5, 768)),
        "two": ("sdxl", (3, 2048)),
        "three": ("sd2", (1, 1024)),
        "old": ("", None),
    }  # fmt: skip
    assert catalogue.networks.words() == files
    assert files["old"].problem is None  # the engine reads its weights, and nothing else of it


def test_a_lora_is_called_by_file_or_by_an_alias_that_no_other_has(tmp_path: Path) -> None:
    place = tmp_path / "Lora"
    make_lora(place / "Ink.safetensors", metadata={"ss_output_name": "ink-style"})
    make_lora(place / "oil.safetensors", metadata={"ss_output_name": "Ink"})  # the name of another's file
    make_lora(place / "a.safetensors", metadata={"ss_output_name": "twice"})
    make_lora(place / "b.safetensors", metadata={"ss_output_name": "twice"})
    make_lora(place / "deep" / "a.safetensors")
    catalogue = CheckpointCatalogue([tmp_path])
    for name, file in {
        "Ink": "Ink.safetensors", "ink": "Ink.safetensors", " ink-style ": "Ink.safetensors",
        "INK-STYLE": "Ink.safetensors", "oil": "oil.safetensors", "twice": None, "a": "a.safetensors",
        "deep/a": "deep/a.safetensors", "deep\\A": "deep/a.safetensors", "b.safetensors": "b.safetensors",
    }.items():  # fmt: skip
        found = catalogue.networks.find(name)
        assert (name, found and found.name) == (name, file)
    names = catalogue.networks.names()
    by_alias = {file.name: names.name_of(file, by_alias=True) for file in catalogue.files.list("lora")}
    assert by_alias == {
        "Ink.safetensors": "ink-style", "oil.safetensors": "oil", "a.safetensors": "a", "b.safetensors": "b",
        "deep/a.safetensors": "deep/a",
    }  # fmt: skip
    assert names.name_of(catalogue.files.find("lora", "Ink")) == "Ink"
    make_lora(place / "new.safetensors")
    catalogue.files.refresh("lora")
    assert catalogue.networks.find("new") is not None
    (place / "new.safetensors").unlink()
    assert catalogue.networks.find("new") is None


def test_a_job_knows_a_lora_by_the_hash_of_its_tensors(tmp_path: Path) -> None:
    paths = [
        make_lora(tmp_path / "Lora" / f"{name}.safetensors", contents=b"\7" * 64, metadata={"ss_output_name": name})
        for name in "ab"
    ]
    catalogue = CheckpointCatalogue([tmp_path], hash_cache=tmp_path / "hashes.json")
    first, second = (catalogue.files.hashed(file) for file in catalogue.files.list("lora"))
    data = paths[0].read_bytes()
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert first.content_hash == hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
    assert first.content_hash == second.content_hash  # though they say other things of themselves
    assert first.sha256 != second.sha256
    assert catalogue.files.find("lora", first.content_hash[:12]).content_hash == first.content_hash
    again = CheckpointCatalogue([tmp_path], hash_cache=tmp_path / "hashes.json")
    assert again.files.find("lora", "b").content_hash == second.content_hash
    paths[1].write_bytes(data[:-1] + b"\1")
    changed = again.files.hashed(again.files.find("lora", "b"))
    assert changed.content_hash not in (None, second.content_hash)


def test_of_an_embedding_the_whole_file_counts(tmp_path: Path) -> None:
    path = make_embedding(tmp_path / "embeddings" / "sprig.safetensors")
    files = CheckpointCatalogue([tmp_path]).files
    assert files.hashed(files.find("embedding", "sprig")).content_hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_no_safetensors_has_one_hash_alone(tmp_path: Path) -> None:
    for data in (b"", b"short", b"\xff" * 8 + b"{" + b"x" * 100, b"PK\x03\x04" + bytes(2_000_000)):
        (tmp_path / "file").write_bytes(data)
        assert hash_file_and_tensors(tmp_path / "file") == (hashlib.sha256(data).hexdigest(),) * 2
    header = (1_500_000).to_bytes(8, "little") + b"{".ljust(1_500_000)  # longer than what is read at a time
    (tmp_path / "file").write_bytes(header + b"tensors")
    assert hash_file_and_tensors(tmp_path / "file")[1] == hashlib.sha256(b"tensors").hexdigest()


def test_where_the_header_says_nothing_a1111s_side_car_tells_the_family(tmp_path: Path) -> None:
    path = write_file(tmp_path / "Lora" / "odd.safetensors", {"lora_unet_x.lora_down.weight": (4, 99)})
    catalogue = CheckpointCatalogue([tmp_path])
    assert catalogue.files.find("lora", "odd").family == ""
    path.with_suffix(".json").write_text(json.dumps({"sd version": "SDXL"}))
    catalogue.refresh()
    assert catalogue.files.find("lora", "odd").family == "sdxl"
    path.with_suffix(".json").write_text(json.dumps({"sd version": ["SDXL"]}))
    catalogue.refresh()
    assert catalogue.files.find("lora", "odd").family == ""
