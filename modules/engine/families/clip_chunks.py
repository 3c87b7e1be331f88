"""Long prompts for CLIP in chunks of 75 tokens, as A1111 does, so that no word of a long one is lost."""

from __future__ import annotations

from typing import Any

import torch


def chunked_ids(tokenizer: Any, text_encoder: Any, text: str) -> torch.Tensor:
    """Return the tokens of a text, (chunks, 77), each chunk with its beginning, its end, and what fills it up."""
    length = min(tokenizer.model_max_length, text_encoder.config.max_position_embeddings)
    tokens = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    room = length - 2
    rows = []
    for start in range(0, max(len(tokens), 1), room):
        row = [tokenizer.bos_token_id, *tokens[start : start + room], tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (length - len(row)))
    return torch.tensor(rows, device=text_encoder.device)


def attention_mask(tokenizer: Any, text_encoder: Any, ids: torch.Tensor) -> torch.Tensor | None:
    """Return which tokens are no filling, for encoders that want to be told; None for most."""
    if getattr(text_encoder.config, "use_attention_mask", False):
        return torch.ne(ids, int(tokenizer.pad_token_id)).long()
    return None


def joined(chunks: torch.Tensor, count: int, empty: torch.Tensor) -> torch.Tensor:
    """Return `count` chunks one after the other, (1, 77 * count, width); those that lack are `empty`."""
    return torch.cat([chunks, *[empty[:1]] * (count - len(chunks))]).reshape(1, -1, chunks.shape[-1])
