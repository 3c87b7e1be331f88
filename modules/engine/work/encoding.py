"""Prompts to embeddings, kept by text and model so that a batch, or the next job, does not encode them again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch

from modules.engine.models.model_cache import LoadedModel, ModelKey

_KEPT_AT_MOST = 256


@dataclass(frozen=True)
class PromptEmbeddings:
    """What the denoiser reads of the words: (1, 77 * chunks, width); `negative` is None without guidance."""

    positive: torch.Tensor
    negative: torch.Tensor | None


class PromptEncoder:
    """Encodes prompts in chunks of 75 tokens, as A1111 does, so that no word of a long one is lost."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[ModelKey, str], torch.Tensor] = OrderedDict()

    def encode(self, model: LoadedModel, prompt: str, negative_prompt: str, guidance_scale: float) -> PromptEmbeddings:
        """Return the embeddings of both prompts, padded to the same number of chunks.

        Raises:
            Interrupted: the job was stopped between two layers.
        """
        positive = self._chunks(model, prompt)
        if guidance_scale <= 1:
            return PromptEmbeddings(_joined(positive), None)
        negative = self._chunks(model, negative_prompt)
        count = max(len(positive), len(negative))
        empty = self._chunks(model, "") if len(positive) != len(negative) else positive
        return PromptEmbeddings(
            _joined(torch.cat([positive, *[empty] * (count - len(positive))])),
            _joined(torch.cat([negative, *[empty] * (count - len(negative))])),
        )

    def forget(self) -> None:
        """Drop all that is kept; for when another model is loaded."""
        self._known.clear()

    def _chunks(self, model: LoadedModel, text: str) -> torch.Tensor:
        text = model.symbols.spell_out(text)
        key = (model.key, text)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        chunks = _encode(model.pipeline.tokenizer, model.pipeline.text_encoder, text)
        self._known[key] = chunks
        if len(self._known) > _KEPT_AT_MOST:
            self._known.popitem(last=False)
        return chunks


def _joined(chunks: torch.Tensor) -> torch.Tensor:
    return chunks.reshape(1, -1, chunks.shape[-1])


def _encode(tokenizer: Any, text_encoder: Any, text: str) -> torch.Tensor:
    """Return (chunks, 77, width)."""
    length = min(tokenizer.model_max_length, text_encoder.config.max_position_embeddings)
    tokens = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    room = length - 2
    rows = []
    for start in range(0, max(len(tokens), 1), room):
        row = [tokenizer.bos_token_id, *tokens[start : start + room], tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (length - len(row)))
    ids = torch.tensor(rows, device=text_encoder.device)
    mask = None
    if getattr(text_encoder.config, "use_attention_mask", False):
        mask = (ids != tokenizer.pad_token_id).long()
    embeddings: torch.Tensor = text_encoder(ids, attention_mask=mask)[0]
    return embeddings
