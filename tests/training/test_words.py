"""Everyday words are taught to the text encoder alone, by what the denoiser reads in texts."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import nn

words = importlib.import_module("13_words")

WIDTH, LENGTH = 8, 5
ENTRIES: list[dict[str, Any]] = [
    {"label": label, "style": style, "code": code, "tags": ["drink"], "group": 4, "weight": 1.0, "favourite": True}
    for label, code in (("hot beverage", "2615"), ("waving hand", "1f44b"), ("red apple", "1f34e"))
    for style in ("3d", "flat")
]
KEYWORDS = [
    {"word": "coffee", "weight": 1.0, "pictures": {"2615": 0.6, "1f44b": 0.4}},
    {"word": "red apple", "weight": 5.0, "pictures": {"1f34e": 1.0}},
]


class Tokenizer:
    """Gives each text a row of one token a character."""

    def __call__(self, texts: list[str], max_length: int, **_: object) -> Any:
        class Encoded:
            input_ids = torch.tensor([[ord(c) for c in text[:max_length].ljust(max_length)] for text in texts])

        return Encoded


class Denoiser(nn.Module):
    """Reads text as the real one does, at one layer and beside the timestep."""

    def __init__(self) -> None:
        super().__init__()
        self.add_embedding = nn.Sequential(nn.Flatten(), nn.Linear(WIDTH * LENGTH, 6))
        self.attn2 = Attention(query_dim=16, cross_attention_dim=WIDTH, heads=2, dim_head=8, processor=AttnProcessor())

    def forward(self, latents: torch.Tensor, times: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        seen: torch.Tensor = self.attn2(latents.flatten(2).mT, encoder_hidden_states=texts)
        return seen


class Encoder(nn.Module):
    """Words a text by a table."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(128, WIDTH)

    def forward(self, tokens: torch.Tensor) -> Any:
        class Said:
            last_hidden_state = self.table(tokens)

        return Said


def test_what_a_layer_reads_is_what_the_denoiser_would() -> None:
    torch.manual_seed(1)
    denoiser, latents, texts = Denoiser(), torch.randn(3, 16, 4, 4), torch.randn(3, LENGTH, WIDTH)
    readers = words.Readers(denoiser, latents, texts)
    queries = readers.queries0
    assert queries.shape == (words.QUERIES, 16)
    seen: list[torch.Tensor] = []
    denoiser.attn2.to_out[0].register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    denoiser.attn2.to_q = nn.Identity()
    denoiser.attn2(queries.expand(3, -1, -1), encoder_hidden_states=texts)
    beside, read = readers(texts)
    assert torch.allclose(beside, denoiser.add_embedding(texts), atol=1e-6)
    assert torch.allclose(read.transpose(1, 2).flatten(2), seen[0], atol=1e-5)


def test_nothing_is_lost_where_both_word_a_text_alike_and_something_else_is_learned() -> None:
    torch.manual_seed(2)
    teacher, student = Encoder(), Encoder()
    readers = words.Readers(Denoiser(), torch.randn(2, 16, 4, 4), torch.randn(2, LENGTH, WIDTH)).requires_grad_(False)
    tokens = torch.randint(0, 128, (12, LENGTH))
    assert words.loss(teacher, teacher, readers, tokens, tokens).item() == pytest.approx(0, abs=1e-9)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    asked = (tokens + 1) % 128
    first = words.loss(student, teacher, readers, asked, tokens).item()
    for _ in range(150):
        optimizer.zero_grad()
        lost = words.loss(student, teacher, readers, asked, tokens)
        lost.backward()
        optimizer.step()
    assert lost.item() < 0.5 * first
    assert teacher.table.weight.grad is None


def test_a_word_means_the_name_of_its_best_picture_and_all_else_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "SHORT_TOKENS", 90)
    texts = words.Texts(Tokenizer(), ENTRIES, KEYWORDS)
    asked, meant = texts.draw(3, 400)
    assert asked.shape == meant.shape == (400, 90)
    assert texts.draw(8, 2)[0].shape == (2, words.TOKENS)

    def write(rows: torch.Tensor) -> list[str]:
        return ["".join(map(chr, row)).strip() for row in rows.tolist()]

    pairs = list(zip(write(asked), write(meant), strict=True))
    coffee = [pair for pair in pairs if "coffee" in pair[0]]
    assert 100 < len(coffee) < 300
    assert {said for _, said in coffee} == {f"hot beverage{style}" for style in ("", ", 3d style", ", flat style")}
    assert all(("flat" in text) == ("flat" in said) for text, said in coffee)
    others = [(text, said) for text, said in pairs if "coffee" not in text and "hot beverage" not in text]
    assert others
    assert all(text == said for text, said in others)
    assert not any("drink" in text for text, _ in pairs)  # what the teacher made of tags is not kept
    assert ("", "") in pairs


def test_of_pictures_alike_the_one_whose_name_is_known_is_meant() -> None:
    assert words.best_picture({"1f3d6": 0.5, "1f334": 0.45}, set()) == "1f3d6"
    assert words.best_picture({"1f3d6": 0.5, "1f334": 0.45}, {"1f334"}) == "1f334"
    assert words.best_picture({"1f3d6": 0.7, "1f334": 0.3}, {"1f334"}) == "1f3d6"
