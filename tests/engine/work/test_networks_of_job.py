"""A job's LoRAs and embeddings are those of when it was sent, by name and hash; what came or went since is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.networks_of_job import ClosedNetworks, close_networks
from modules.errors import ModelError
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.rows import Job
from tests.engine.own_engine import Engine
from tests.jobs.made_models import make_model
from tests.jobs.made_networks import make_embedding, make_lora

TOKENIZER = Path(__file__).parents[3] / "modules" / "prompts" / "tokenizers" / "clip"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    models = tmp_path / "models"
    folder = make_model(
        models / "Stable-diffusion" / "tiny",
        unet={"sample_size": 64, "cross_attention_dim": 192},
        text_encoder={"hidden_size": 192},
    )
    (folder / "tokenizer" / "tokenizer.json").unlink()
    for name in ("vocab.json", "merges.txt"):
        (folder / "tokenizer" / name).write_bytes((TOKENIZER / name).read_bytes())
    make_lora(models / "Lora" / "ink.safetensors", width=192)
    make_lora(models / "Lora" / "wide.safetensors", width=768)
    make_embedding(models / "embeddings" / "sprig.safetensors", width=192)
    running = Engine(tmp_path / "data", models)
    yield running
    running.close()


def sent(engine: Engine, prompt: str, **data: Any) -> Job:
    """Queue a job as the server does."""
    data = {"prompt": prompt, "override_settings": {"sd_model_checkpoint": "tiny"}} | data
    checked = validate_drawing("txt2img", data)
    choice = checked.chosen(engine.parts.catalogue, engine.options.values)
    row = checked.model_dump(mode="json") | {"chosen": choice.model_dump(mode="json")}
    return engine.store.queue.submit("txt2img", row, "me")


def closed(engine: Engine, job: Job, prompt: str | None = None) -> ClosedNetworks:
    """Resolve a job as the engine does; `prompt` is what its words turned out to be."""
    parts, settings = engine.parts, engine.options.values
    finder, request = ModelFinder(parts), validate_drawing(job.kind, job.request)
    models = finder.of_request(job, request)
    resolved = request.resolve(models, settings, lambda: 1, "float32", 1)
    words = resolved.words.model_copy(update={"syntax": "a1111", "prompt": prompt or resolved.words.prompt})
    resolved = resolved.model_copy(update={"words": words})
    return close_networks(resolved, models, request, settings, parts.catalogue, finder)


def test_what_words_call_for_is_kept_with_its_hash_and_found_again(engine: Engine, tmp_path: Path) -> None:
    job = sent(engine, "sprig <lora:ink:1> <lora:wide:1>")
    models, resolved, told = closed(engine, job)
    files = engine.parts.catalogue.files
    ink, sprig = files.find("lora", "ink"), files.find("embedding", "sprig")
    assert {name: one.hash for name, one in resolved.sources.networks.items()} == {"ink": ink.content_hash}
    assert {word: one.hash for word, one in resolved.sources.embeddings.items()} == {"sprig": sprig.sha256}
    assert [one.path for one in (models.networks["ink"], models.embeddings["sprig"])] == [ink.path, sprig.path]
    assert len(told) == 1
    assert "LoRA 'wide' does not go with the model (it is for words 768 numbers wide" in told[0]
    # A job that was begun finds them by their hashes under other names too, once these are hashed.
    ink.path.rename(tmp_path / "models" / "Lora" / "renamed.safetensors")
    engine.parts.catalogue.refresh()
    files.hashed(files.find("lora", "renamed"))
    again = ModelFinder(engine.parts).of_row(resolved)
    assert again.networks["ink"].name == "renamed.safetensors"
    assert again.embeddings == models.embeddings


def test_one_that_was_changed_since_ends_the_job(engine: Engine, tmp_path: Path) -> None:
    job = sent(engine, "<lora:ink:1>")
    make_lora(tmp_path / "models" / "Lora" / "ink.safetensors", width=192, contents=b"\1" * 8)
    engine.parts.catalogue.refresh()
    with pytest.raises(ModelError, match=r"The LoRA ink\.safetensors was changed since this job was sent: submit it"):
        closed(engine, job)
    (tmp_path / "models" / "Lora" / "ink.safetensors").unlink()
    engine.parts.catalogue.refresh()
    with pytest.raises(ModelError, match=r"The LoRA ink\.safetensors is not there any more: put it back into models/L"):
        closed(engine, job)


def test_words_that_are_chosen_later_are_looked_up_then(engine: Engine) -> None:
    job = sent(engine, "__style__")
    assert list(closed(engine, job, "<lora:ink:1>").resolved.sources.networks) == ["ink"]
    engine.options.update({"networks_missing": "refuse"})
    with pytest.raises(ModelError, match="LoRA 'gone' is not here: put it into models/Lora, or take it out"):
        closed(engine, job, "<lora:gone:1>")
    unfollowed = sent(engine, "sprig <lora:gone:1>", disable_extra_networks=True)
    sources = closed(engine, unfollowed).resolved.sources
    assert (sources.networks, list(sources.embeddings)) == ({}, ["sprig"])
