"""An infotext's LoRAs are called by their names here, known by their hashes; those that are not here are named."""

import hashlib

import pytest

from modules.images.takeover import take_over
from modules.jobs.models.catalogue import CheckpointCatalogue
from tests.jobs.made_networks import make_embedding, make_lora

TELLING = "a" * 64


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> CheckpointCatalogue:
    models = tmp_path_factory.mktemp("models")
    make_lora(models / "Lora" / "ink.safetensors", contents=b"\1", metadata={"ss_output_name": "ink-style"})
    make_lora(models / "Lora" / "oil.safetensors", contents=b"\2")
    make_lora(models / "Lora" / "new.safetensors", metadata={"sshs_model_hash": TELLING})
    make_lora(models / "Lora" / "cut.safetensors").write_bytes(b"short")
    make_embedding(models / "embeddings" / "EasyNegative.safetensors")
    found = CheckpointCatalogue([models])
    for name in ("ink", "oil"):
        found.files.hashed(found.files.find("lora", name))
    found.files.hashed(found.files.find("embedding", "EasyNegative"))
    return found


def taken(catalogue: CheckpointCatalogue, prompt: str, **pairs: str) -> tuple[str, list[tuple[str, str, str]]]:
    told = "".join(f', {key.replace("_", " ")}: "{value}"' for key, value in pairs.items())
    text = f"{prompt}\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64{told}"
    takeover = take_over(text, (), networks=catalogue.networks)
    return takeover.values["prompt"], [(one.label, one.value, one.why) for one in takeover.left]


def digest(catalogue: CheckpointCatalogue, name: str) -> str:
    found = catalogue.files.find("lora", name).content_hash
    assert found is not None
    return found[:12]


def test_a_lora_is_called_as_here_by_its_hash(catalogue: CheckpointCatalogue) -> None:
    hashes = f"their ink: {digest(catalogue, 'ink')}, oil: {digest(catalogue, 'ink')}, told: {TELLING[:12]}"
    prompt, left = taken(
        catalogue, "a <lora:their ink:0.8> <lora:oil:1:te=2> <lora:told:1> <lora:ink-style:1>", Lora_hashes=hashes
    )
    assert (prompt, left) == ("a <lora:ink:0.8> <lora:ink:1:te=2> <lora:new:1> <lora:ink-style:1>", [])


def test_what_is_not_here_or_is_another_one_is_named_with_its_hash(catalogue: CheckpointCatalogue) -> None:
    text = "<lora:gone:1> <lora:oil:1> <lora:cut:1> <lora:bare:1> <lora:gone:0.5>"
    prompt, left = taken(catalogue, text, Lora_hashes="gone: 0123456789ab, oil: 0123456789ab")
    assert prompt == text
    assert left[:2] == [
        ("LoRA", "gone [0123456789ab]", "is not here; it stays in the prompt, and is left out of the picture"),
        (
            "LoRA",
            "oil [0123456789ab]",
            f"the one of that name here has other weights [{digest(catalogue, 'oil')}], and is used",
        ),
    ]
    assert left[2][:2] == ("LoRA", "cut")
    assert left[2][2].startswith("cannot be used: ")
    assert left[3][:2] == ("LoRA", "bare")
    assert len(left) == 4


def test_embeddings_are_known_by_their_hashes_too(catalogue: CheckpointCatalogue) -> None:
    file = catalogue.files.find("embedding", "EasyNegative")
    own = hashlib.sha256(file.path.read_bytes()).hexdigest()[:12]
    assert taken(catalogue, "cat", TI_hashes=f"easynegative: {own}")[1] == []
    assert taken(catalogue, "cat", TI_hashes="EasyNegative: 0123456789ab, gone: ba9876543210")[1] == [
        (
            "Embedding",
            "EasyNegative [0123456789ab]",
            f"the one of that name here has other vectors [{own}], and is used",
        ),
        ("Embedding", "gone [ba9876543210]", "is not here; its word is read as text"),
    ]


def test_a_broken_list_of_hashes_tells_nothing(catalogue: CheckpointCatalogue) -> None:
    for broken in ("", ":", ",,,", "ink", ": 0123", "ink: zz" * 500):
        assert taken(catalogue, "<lora:ink:1>", Lora_hashes=broken)[0] == "<lora:ink:1>"


def test_tags_of_a_text_that_is_no_prompt_are_not_looked_up(catalogue: CheckpointCatalogue) -> None:
    text = f"{'<lora:gone:1>' * 770}\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 1"
    told = take_over(text, (), networks=catalogue.networks)
    assert "prompt" not in told.values and [one.label for one in told.left] == ["Prompt"]
