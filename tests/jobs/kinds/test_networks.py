"""What a prompt calls for is found, kept by name and hash, and told in file and infotext; what is not, is said."""

from dataclasses import replace
from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.images.infotext import write
from modules.jobs.kinds.base import PictureWords, ResolvedJob, Source
from modules.jobs.kinds.choice import Choice
from modules.jobs.kinds.network_texts import Text, texts_of
from modules.jobs.kinds.networks import Networks, find_networks
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings
from tests.jobs.made_files import write_file
from tests.jobs.made_jobs import resolved_job
from tests.jobs.made_networks import make_embedding, make_lora, make_pair
from tests.jobs.made_unets import sd1

LORA, EMBEDDING = Source(name="ink.safetensors", hash="d" * 64), Source(name="sprig.safetensors", hash="e" * 64)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> CheckpointCatalogue:
    models = tmp_path_factory.mktemp("models")
    write_file(models / "Stable-diffusion" / "dream.safetensors", sd1())
    make_lora(models / "Lora" / "ink.safetensors", metadata={"ss_output_name": "ink-style"})
    make_lora(models / "Lora" / "papercut.safetensors", width=2048)
    make_lora(models / "Lora" / "small.safetensors", width=192)
    cut = make_lora(models / "Lora" / "cut.safetensors")
    cut.write_bytes(cut.read_bytes()[:-5])
    make_embedding(models / "embeddings" / "EasyNegative.safetensors")
    make_pair(models / "embeddings" / "forXL.safetensors")
    make_embedding(models / "embeddings" / "sprig.safetensors", width=192)
    return CheckpointCatalogue([models])


def find(catalogue: CheckpointCatalogue, *prompts: str, negative: str = "") -> Networks:
    texts = [*(Text(prompt) for prompt in prompts), Text(negative, "negative_prompt", calls=False)]
    return find_networks(texts, [catalogue.find("dream")], catalogue)


def test_loras_are_found_by_the_names_as_they_are_written(catalogue: CheckpointCatalogue) -> None:
    found = find(catalogue, "a <lora:ink:0.5> b <lyco:Ink-Style:1:0> <lora:ink:2>", "<lora:INK.safetensors>")
    assert {name: file.stem for name, file in found.loras.items()} == {
        "ink": "ink", "Ink-Style": "ink", "INK.safetensors": "ink"
    }  # fmt: skip
    assert found.told() == ()
    assert find(catalogue, "cat", negative="<lora:ink:1>").loras == {}  # A1111 reads none there


def test_what_is_left_out_is_named_with_the_reason(catalogue: CheckpointCatalogue) -> None:
    found = find(catalogue, "<lora:gone:1><lora:papercut:1><lora:small:1><lora:cut:1><lora:gone:2><hypernet:a:1><x:y>")
    assert found.loras == {}
    told = list(found.told())
    assert told[:3] == [
        "LoRA 'gone' is not here, so it is left out: put it into models/Lora.",
        "LoRA 'papercut' does not go with the model (it is for Stable Diffusion XL, and dream.safetensors is "
        "Stable Diffusion 1.x), so it is left out: use one that was made for it.",
        "LoRA 'small' does not go with the model (it is for words 192 numbers wide, and those of dream.safetensors are "
        "768), so it is left out: use one that was made for it.",
    ]
    assert told[3].startswith("LoRA 'cut' cannot be used, so it is left out: ")
    assert told[3].endswith(" is cut short by 5 bytes: fetch it again.")
    assert told[4:] == [
        "Hypernetwork 'a' is of a kind that this version has not.",
        "<x:y> calls for nothing that is known here and is left out.",
    ]
    with pytest.raises(InvalidRequest, match=r"put it into models/Lora, or take it out of the prompt\.") as refused:
        found.check()
    assert refused.value.field == "prompt"


def test_weights_that_are_none_are_told_of_and_the_lora_is_used(catalogue: CheckpointCatalogue) -> None:
    found = find(catalogue, "<lora:ink:abc> <lora:ink:nan> <lora:ink:1e9> <lora:ink:0.5:1e400>")
    assert list(found.loras) == ["ink"]
    assert found.told() == (
        "In the prompt <lora:ink:abc>: 'abc' is not a number, 1 is used.",
        "In the prompt <lora:ink:nan>: 'nan' is not a number, 1 is used.",
        "<lora:ink:1e9> has a weight of 1e+09, which leaves no picture: most go from -2 to 2.",
        "In the prompt <lora:ink:0.5:1e400>: '1e400' is not a number, 0.5 is used.",
    )
    found.check()


def test_of_hundreds_that_are_missing_the_first_are_told(catalogue: CheckpointCatalogue) -> None:
    told = find(catalogue, "".join(f"<lora:gone{number}:1>" for number in range(200))).told()
    assert len(told) == 13
    assert told[-1] == "And 188 more of this kind."


def test_embeddings_are_found_by_the_bare_word(catalogue: CheckpointCatalogue) -> None:
    found = find(catalogue, "(easynegative:1.2)", negative="[[xeasynegative]]")
    assert list(found.embeddings) == ["EasyNegative"]
    assert find(catalogue, "easy negative, <lora:easynegative:1>").embeddings == {}
    others = find(catalogue, "sprig, cat", negative="forxl")
    assert others.embeddings == {}
    assert others.told() == (
        "Embedding 'sprig' is read as plain text: it has vectors of 192 numbers, and dream.safetensors reads 768.",
        "Embedding 'forXL' is read as plain text: it is for Stable Diffusion XL, with vectors of 2,048 numbers, and "
        "dream.safetensors reads 768.",
    )
    others.check()  # A word is not refused for what it could mean to another model.


def chosen(catalogue: CheckpointCatalogue, settings: Settings | None = None, **data: Any) -> Choice:
    wanted = replace(settings or Settings(), sd_model_checkpoint="dream")
    return validate_drawing("txt2img", data).chosen(catalogue, wanted)


def test_a_row_keeps_what_was_chosen_when_the_job_was_sent(catalogue: CheckpointCatalogue) -> None:
    choice = chosen(catalogue, prompt="<lora:ink:1> cat", negative_prompt="easynegative")
    assert {name: one.name for name, one in choice.networks.items()} == {"ink": "ink.safetensors"}
    assert choice.networks["ink"].stamp
    assert list(choice.embeddings) == ["EasyNegative"]
    assert Choice.model_validate(choice.model_dump(mode="json")) == choice
    without = chosen(catalogue, prompt="<lora:ink:1> easynegative", disable_extra_networks=True)
    assert (without.networks, list(without.embeddings)) == ({}, ["EasyNegative"])


def test_a_setting_refuses_what_is_missing_with_its_field(catalogue: CheckpointCatalogue) -> None:
    assert chosen(catalogue, prompt="<lora:gone:1>").networks == {}
    refusing = Settings(networks_missing="refuse")
    with pytest.raises(InvalidRequest, match="LoRA 'gone' is not here") as refused:
        chosen(catalogue, refusing, prompt="cat", enable_hr=True, hr_prompt="<lora:gone:1>")
    assert refused.value.field == "hr_prompt"
    overridden = {"override_settings": {"networks_missing": "go on"}}
    assert chosen(catalogue, refusing, prompt="<lora:gone:1>", **overridden).networks == {}
    # What is chosen when the job's turn comes is known then.
    assert list(chosen(catalogue, refusing, prompt="{<lora:ink:1>|<lora:gone:1>}").networks) == ["ink"]
    assert chosen(catalogue, refusing, prompt="<lora:gone:1>", hr_prompt="<lora:x:1>", disable_extra_networks=True)


def drawn(prompt: str, *each: str, **saving: bool) -> ResolvedJob:
    job = resolved_job(**saving)
    words = job.words.model_copy(
        update={
            "prompt": prompt,
            "syntax": "a1111",
            "each": tuple(PictureWords(prompt=one, negative_prompt="") for one in each),
        }
    )
    sources = job.sources.model_copy(
        update={"networks": {"ink": LORA, "a,b": LORA}, "embeddings": {"sprig": EMBEDDING}}
    )
    return job.model_copy(update={"words": words, "sources": sources, "n_iter": max(1, len(each))})


def test_the_file_tells_them_only_where_there_are_some() -> None:
    plain, with_both = TXT2IMG.picture(resolved_job(prompt="cat"), 0), TXT2IMG.picture(drawn("<lora:ink:1>"), 0)
    assert {name: value for name, value in with_both.items() if name not in plain} == {
        "syntax": "a1111",
        "networks": {"ink": {"name": "ink.safetensors", "hash": "d" * 64}},
        "embeddings": {"sprig": {"name": "sprig.safetensors", "hash": "e" * 64}},
    }


def test_the_infotext_has_a1111s_hashes() -> None:
    text = write(drawn("<lora:ink:1> <lora:a,b:1> <lora:ink:2>"), 0)
    assert 'Lora hashes: "ink: dddddddddddd, ab: dddddddddddd", TI hashes: "sprig: eeeeeeeeeeee", Version: ' in text
    silent = {"lora_add_hashes_to_infotext": False, "textual_inversion_add_hashes_to_infotext": False}
    assert "hashes" not in write(drawn("<lora:ink:1>", **silent), 0)


def test_each_picture_has_those_of_its_own_words() -> None:
    job = drawn("", "<lora:ink:1> SPRIG!", "sprigs", "cat <lora:a,b:1>")
    told = [TXT2IMG.picture(job, index) for index in range(3)]
    assert [list(one.get("networks", {})) for one in told] == [["ink"], [], ["a,b"]]
    assert ["embeddings" in one for one in told] == [True, False, False]


def test_words_of_before_call_for_nothing() -> None:
    job = drawn("<lora:ink:1>")
    plain = job.model_copy(update={"words": job.words.model_copy(update={"syntax": "plain"})})
    assert texts_of(plain) == ()
    assert texts_of(job) == (Text("<lora:ink:1>"), Text("", "negative_prompt", calls=False))
