"""Weights, chunks and emphasis as A1111 has them, against the rules written down once more in plain code."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from modules.engine.families.base import Asked
from modules.engine.families.generic import Generic
from modules.engine.families.reading import Embedding, Reading, Text
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.encoding import PromptEncoder
from modules.errors import ModelError
from modules.jobs.kinds.base import Emphasis
from tests.engine.tiny_models.registry import tiny_model
from tests.engine.tiny_models.trial import Trial

# A chunk: its words with their weights.
Chunk = Sequence[tuple[str, float]]
SDXL, SD3 = "StableDiffusionXLPipeline", "StableDiffusion3Pipeline"


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    model = load("plain")
    # As it comes the mean of all numbers is 0, and nothing to be kept.
    norm = model.pipeline.text_encoder.final_layer_norm
    norm.bias.data = norm.bias.data + torch.linspace(-0.1, 0.3, 16)
    return model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    made: dict[str, LoadedModel] = {}

    def model_of(row: str) -> LoadedModel:
        if row not in made:
            made[row] = Trial(tiny_model(row), Path(tmp_path_factory.mktemp("tiny"))).model
        return made[row]

    return model_of


def encoded(
    model: LoadedModel, prompt: str | tuple[Text, ...], negative: str = "", scale: float = 1.0, **reading: Any
) -> dict[str, Any]:
    pictures = 1 if isinstance(prompt, str) else len(prompt)
    asked = Asked(guidance_scale=scale, pictures=pictures, reading=Reading(**{"syntax": "a1111"} | reading))
    with torch.inference_mode():
        return dict(PromptEncoder().encode(model, prompt, negative, asked))


def row_of(tokenizer: Any, chunk: Chunk) -> tuple[list[int], list[float]]:
    """Return the 77 tokens and weights of a chunk."""
    ids, weights = [tokenizer.bos_token_id], [1.0]
    for text, weight in chunk:
        tokens = tokenizer(text, add_special_tokens=False).input_ids
        ids += tokens
        weights += [weight] * len(tokens)
    ids += [tokenizer.eos_token_id] + [tokenizer.pad_token_id] * (76 - len(ids))
    return ids, weights + [1.0] * (77 - len(weights))


def by_rules(tokenizer: Any, read: Callable[[torch.Tensor], torch.Tensor], chunks: Sequence[Chunk], mean: bool) -> Any:
    """Return (1, 77 * chunks, width): each token times its weight, and each chunk with the mean that it had."""
    made = []
    for chunk in chunks:
        ids, weights = row_of(tokenizer, chunk)
        z = read(torch.tensor([ids]))
        weighed = z * torch.tensor([weights])[..., None]
        made.append(weighed * (z.mean() / weighed.mean()) if mean else weighed)
    return torch.cat(made, dim=1)


HEARTS = " ".join(["heart"] * 70)
CASES: dict[str, tuple[str, list[Chunk]]] = {
    "weights": ("a (red:1.5) [heart]", [[("a", 1), ("red", 1.5), (" ", 1), ("heart", 1 / 1.1)]]),
    "nested": ("((a) cat:2)", [[("a", 1.1 * 2), ("cat", 2)]]),
    "escaped": (r"\(a (b:0)", [[("(a", 1), ("b", 0)]]),
    "negative": ("a (cat:-1)", [[("a", 1), ("cat", -1)]]),
    "break": ("a cat BREAK (red:2) dog", [[("a cat", 1)], [("red", 2), ("dog", 1)]]),
    "full": (f"{HEARTS} a b c d e (f g:1.2)", [[(HEARTS, 1), ("a b c d e", 1)], [("f g", 1.2)]]),
    "after a comma": (f"{HEARTS}, a b (c d e:2)", [[(f"{HEARTS},", 1)], [("a b", 1), ("c d e", 2)]]),
    "empty": ("", [[]]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("emphasis", ["Original", "No norm", "Ignore"])
def test_words_of_stable_diffusion_1(plain: LoadedModel, case: str, emphasis: Emphasis) -> None:
    prompt, chunks = CASES[case]
    if emphasis == "Ignore":
        chunks = [[(text, 1) for text, _weight in chunk] for chunk in chunks]
    encoder, tokenizer = plain.pipeline.text_encoder, plain.pipeline.tokenizer
    with torch.inference_mode():
        expected = by_rules(tokenizer, lambda ids: encoder(ids)[0], chunks, emphasis == "Original")
    found = encoded(plain, prompt, emphasis=emphasis)["prompt_embeds"]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_emphasis_none_takes_brackets_as_text_and_plain_words_are_the_same_bits(plain: LoadedModel) -> None:
    as_text = encoded(plain, "a (red:1.5) heart", emphasis="None")["prompt_embeds"]
    assert torch.equal(as_text, encoded(plain, "a (red:1.5) heart", syntax="plain")["prompt_embeds"])
    for prompt in ("", "a red heart, a ❤", HEARTS + " a b c d e f g"):
        plainly = encoded(plain, prompt, "blue", 7.0, syntax="plain")
        for name, one in encoded(plain, prompt, "blue", 7.0).items():
            assert torch.equal(one, plainly[name]), (prompt, name)


def test_a_comma_too_far_back_moves_nothing(plain: LoadedModel) -> None:
    prompt = f"a, {HEARTS} b c d e"  # 76 tokens, of which the comma is the second
    found = encoded(plain, prompt, syntax="a1111")["prompt_embeds"]
    assert torch.equal(found, encoded(plain, prompt, comma_backtrack=0)["prompt_embeds"])
    near = f"{HEARTS}, a b c d e"
    assert not torch.equal(
        encoded(plain, near)["prompt_embeds"], encoded(plain, near, comma_backtrack=0)["prompt_embeds"]
    )


def test_clip_skip_goes_with_weights(plain: LoadedModel) -> None:
    encoder, tokenizer = plain.pipeline.text_encoder, plain.pipeline.tokenizer

    def read(ids: torch.Tensor) -> torch.Tensor:
        skipped: torch.Tensor = encoder.final_layer_norm(encoder(ids, output_hidden_states=True).hidden_states[-2])
        return skipped

    with torch.inference_mode():
        expected = by_rules(tokenizer, read, [[("a", 1), ("red", 1.5)]], mean=True)
        asked = Asked(guidance_scale=1.0, clip_skip=2, reading=Reading("a1111"))
        found = PromptEncoder().encode(plain, "a (red:1.5)", "", asked)["prompt_embeds"]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_the_texts_of_a_schedule_are_weighed_as_one(plain: LoadedModel) -> None:
    """A1111 reads them in one go, with as many chunks as the longest has, and the mean is that of all of them."""
    texts = "a (cat:2)", "a dog BREAK (red:3)"
    encoder, tokenizer = plain.pipeline.text_encoder, plain.pipeline.tokenizer
    chunks: list[list[Chunk]] = [[[("a", 1), ("cat", 2)], []], [[("a dog", 1)], [("red", 3)]]]
    with torch.inference_mode():
        for place in range(2):
            rows = [row_of(tokenizer, one[place]) for one in chunks]
            z = torch.cat([encoder(torch.tensor([ids]))[0] for ids, _ in rows])
            weighed = z * torch.tensor([weights for _, weights in rows])[..., None]
            expected = weighed * (z.mean() / weighed.mean())
            for number, text in enumerate(texts):
                found = encoded(plain, (Text(text, texts),))["prompt_embeds"]
                assert found.shape == (1, 154, 16)
                part = found[0, 77 * place : 77 * (place + 1)]
                torch.testing.assert_close(part, expected[number], rtol=1e-5, atol=1e-6)


def test_words_of_sdxl_are_weighed_for_each_encoder_and_the_pooled_ones_are_the_first_chunks_without_weights(
    tiny: Callable[[str], LoadedModel],
) -> None:
    model = tiny(SDXL)
    pipeline = model.pipeline
    chunks: list[Chunk] = [[("a", 1), ("cat", 1.5)], [("b", 0.5)]]
    with torch.inference_mode():
        expected = [
            by_rules(tokenizer, lambda ids: network(ids, output_hidden_states=True).hidden_states[-2], chunks, True)  # noqa: B023
            for tokenizer, network in (
                (pipeline.tokenizer, pipeline.text_encoder),
                (pipeline.tokenizer_2, pipeline.text_encoder_2),
            )
        ]
        first = torch.tensor([row_of(pipeline.tokenizer_2, chunks[0])[0]])
        pooled = pipeline.text_encoder_2(first)[0]
    found = encoded(model, "a(cat:1.5) BREAK (b:0.5)")
    torch.testing.assert_close(found["prompt_embeds"], torch.cat(expected, dim=-1), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["pooled_prompt_embeds"], pooled, rtol=1e-5, atol=1e-6)


def test_words_of_stable_diffusion_3_are_weighed_for_both_clips_and_not_for_the_t5(
    tiny: Callable[[str], LoadedModel],
) -> None:
    model = tiny(SD3)
    plainly, alike = (encoded(model, "a cat", "a dog", 7.0, syntax=syntax) for syntax in ("plain", "a1111"))
    with torch.inference_mode():
        own = model.pipeline.encode_prompt("a cat", None, None, negative_prompt="a dog")
        names = "prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"
        for name, embeddings in zip(names, own, strict=True):
            assert torch.equal(alike[name], embeddings), name
    assert plainly["prompt"] == "a cat"
    weighed = encoded(model, "a (cat:2)", emphasis="No norm")["prompt_embeds"]
    ratio = weighed / alike["prompt_embeds"]
    _, weights = row_of(model.pipeline.tokenizer, [("a", 1), (" ", 1), ("cat", 2)])
    assert ratio[0, :77, 0].tolist() == pytest.approx(weights)
    assert torch.equal(weighed[:, 77:], alike["prompt_embeds"][:, 77:])


def test_words_of_several_pictures_are_those_of_each_made_up_to_the_longest(plain: LoadedModel) -> None:
    texts = Text("a (cat:2)"), Text("a BREAK b")
    both = encoded(plain, texts, "blue", 7.0)
    assert both["prompt_embeds"].shape == both["negative_prompt_embeds"].shape == (2, 154, 16)
    empty = encoded(plain, "")["prompt_embeds"][0]
    alone = [encoded(plain, (text,))["prompt_embeds"][0] for text in texts]
    assert torch.equal(both["prompt_embeds"][0], torch.cat([alone[0], empty]))
    assert torch.equal(both["prompt_embeds"][1], alone[1])


# --- Families without weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["FluxPipeline", "ZImagePipeline"])
def test_where_there_are_no_weights_the_syntax_is_taken_out_and_the_words_stay(
    tiny: Callable[[str], LoadedModel], row: str
) -> None:
    words = encoded(tiny(row), r"a ((red):1.5) [cat] BREAK \(x\)", "(b:2)", 3.0)
    assert (words["prompt"], words["negative_prompt"]) == ("a red cat (x)", "b")
    many = encoded(tiny(row), (Text("(a)"), Text("b")), "c", 3.0)
    assert (many["prompt"], many["negative_prompt"]) == (["a", "b"], ["c", "c"])


def test_a_pipeline_that_takes_one_text_says_what_to_do_with_several() -> None:
    family = Generic(diffusers.DreamLitePipeline)
    assert family.words_alone((Text("a"),), (Text("b"),), Asked()) == {"prompt": "a", "negative_prompt": "b"}
    with pytest.raises(ModelError, match="use batch size 1"):
        family.words_alone((Text("a"), Text("c")), (Text("b"),), Asked())


# --- Textual inversion ---------------------------------------------------------------------------------------------


def embeddings(width: int, **counts: int) -> dict[str, Embedding]:
    torch.manual_seed(3)
    return {
        word.replace("_", "-"): Embedding(f"hash of {word}", {"text_encoder": torch.randn(count, width)})
        for word, count in counts.items()
    }


def test_vectors_stand_where_the_word_stands_the_longest_first_and_are_weighed(plain: LoadedModel) -> None:
    known = embeddings(16, shiny=2, shiny_red=3)
    network, tokenizer = plain.pipeline.text_encoder, plain.pipeline.tokenizer
    given: list[torch.Tensor] = []
    layer = network.get_input_embeddings()
    attention = network.encoder.layers[0]
    hook = attention.register_forward_pre_hook(
        lambda _module, inputs, named: given.append(inputs[0] if inputs else named["hidden_states"]), with_kwargs=True
    )
    found = encoded(plain, "a (shiny-red:2) cat shiny", embeddings=known, emphasis="No norm")["prompt_embeds"]
    without = encoded(plain, "a (shiny-red:2) cat shiny", emphasis="No norm")["prompt_embeds"]
    hook.remove()
    places = network.embeddings.position_embedding.weight
    ids = [tokenizer(word, add_special_tokens=False).input_ids for word in ("a", "cat")]
    expected = torch.cat(
        [
            layer.weight[ids[0]], known["shiny-red"].vectors["text_encoder"], layer.weight[ids[1]],
            known["shiny"].vectors["text_encoder"], layer.weight[[tokenizer.eos_token_id]],
        ]
    )  # fmt: skip
    torch.testing.assert_close(given[0][0, 1:9], expected + places[1:9])
    assert not torch.equal(found, without)
    ratio = found / encoded(plain, "a shiny-red cat shiny", embeddings=known)["prompt_embeds"]
    assert ratio[0, :9, 0].tolist() == pytest.approx([1, 1, 2, 2, 2, 1, 1, 1, 1])
    assert not layer._forward_hooks


def test_what_is_remembered_of_words_goes_by_how_they_are_read(plain: LoadedModel) -> None:
    encoder = PromptEncoder()
    calls: list[int] = []
    hook = plain.pipeline.text_encoder.register_forward_pre_hook(lambda _module, _inputs: calls.append(1))

    def read(**reading: Any) -> None:
        with torch.inference_mode():
            encoder.encode(plain, "a shiny", "", Asked(reading=Reading("a1111", **reading)))

    for reading in ({}, {"embeddings": embeddings(16, shiny=2)}, {"emphasis": "Ignore"}):
        before = len(calls)
        read(**reading)
        read(**reading)
        assert len(calls) == before + 1, reading
    hook.remove()


def test_words_in_memory_are_bounded(plain: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.engine.work.encoding._BYTES_AT_MOST", 2 * 77 * 16 * 4)
    encoder = PromptEncoder()
    with torch.inference_mode():
        for prompt in "abcdef":
            encoder.encode(plain, prompt, "", Asked())
    assert len(encoder._known) == 2
