"""Words for CLIP in chunks of 75 tokens with weights, as A1111 has them, so that no word of a long prompt is lost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from modules.engine.families.reading import Embedding, Reading, Text, Texts
from modules.jobs.kinds.base import Emphasis
from modules.prompts.attention import Break
from modules.prompts.chunks import CHUNK_TOKENS, Chunk, Marks, Vectors, WeighedToken, chunks_of
from modules.prompts.token_names import TokenNames

_COMMA = ",</w>"


@dataclass(frozen=True)
class Encoder:
    """A CLIP of a pipeline: its name there, its tokenizer, and the network."""

    name: str
    tokenizer: Any
    network: Any

    @classmethod
    def of(cls, pipeline: Any, number: int = 1) -> Encoder:
        """Return the pipeline's text encoder with this number, counted from 1."""
        end = "" if number == 1 else f"_{number}"
        return cls(f"text_encoder{end}", getattr(pipeline, f"tokenizer{end}"), getattr(pipeline, f"text_encoder{end}"))


@dataclass(frozen=True)
class Read:
    """What an encoder made of a text: (chunks, 77, width), without the weights, which are (chunks, 77); None: all 1.

    `pooled`: (1, width), of the first chunk; None: the encoder gives none.
    """

    embeddings: torch.Tensor
    weights: torch.Tensor | None = None
    pooled: torch.Tensor | None = None

    @functools.cached_property
    def means(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean of each chunk without weights, and with them: (chunks,) each."""
        plain = self.embeddings.mean(dim=(1, 2))
        return plain, plain if self.weights is None else self.weighed.mean(dim=(1, 2))

    @property
    def weighed(self) -> torch.Tensor:
        """The words, each times its weight."""
        return (
            self.embeddings if self.weights is None else self.embeddings * self.weights.to(self.embeddings)[..., None]
        )


# Return what an encoder gives for tokens, (chunks, 77): (chunks, 77, width), and the pooled words if it has some.
Ask = Callable[[Any, torch.Tensor], tuple[torch.Tensor, torch.Tensor | None]]


def read_text(encoder: Encoder, text: str, reading: Reading, ask: Ask) -> Read:
    """Return what an encoder makes of a text.

    Raises:
        Interrupted: the job was stopped between two layers.
    """
    if reading.syntax == "plain":
        embeddings, pooled = ask(encoder.network, _plain_ids(encoder, reading.words_alone(text)))
        return Read(embeddings, None, None if pooled is None else pooled[:1])
    marks, names = _marks(encoder.tokenizer), _names(encoder, reading.embeddings)
    chunks = chunks_of(_tokens(encoder, text, reading, names), marks, reading.comma_backtrack)
    ids = torch.tensor([chunk.ids for chunk in chunks], device=encoder.network.device)
    with _vectors_placed(encoder, chunks, reading.embeddings):
        embeddings, pooled = ask(encoder.network, ids)
    weights = torch.tensor([chunk.weights for chunk in chunks], device=ids.device)
    return Read(embeddings, weights if bool((weights != 1).any()) else None, None if pooled is None else pooled[:1])


def attention_mask(tokenizer: Any, network: Any, ids: torch.Tensor) -> torch.Tensor | None:
    """Return which tokens are no filling, for encoders that want to be told; None for most."""
    if getattr(network.config, "use_attention_mask", False):
        return torch.ne(ids, int(tokenizer.pad_token_id)).long()
    return None


def said_by(texts: Texts, read: Callable[[str], Read], emphasis: Emphasis, count: int) -> torch.Tensor:
    """Return the words of texts with their weights, each made up to `count` chunks by empty ones.

    (texts, 77 * count, width). `read` is asked about each text, also about those that are weighed together with it.
    """
    return torch.cat([_weighed(text, read, emphasis, count) for text in texts])


def chunks_in(texts: Texts, read: Callable[[str], Read]) -> int:
    """Return how many chunks the longest of the texts has, and of those that are weighed with them."""
    return max(len(read(one).embeddings) for text in texts for one in text.together)


def _weighed(text: Text, read: Callable[[str], Read], emphasis: Emphasis, count: int) -> torch.Tensor:
    """Return a text's words: (1, 77 * count, width)."""
    own = read(text.said)
    chunks, lacking = own.weighed, count - len(own.embeddings)
    if lacking:
        chunks = torch.cat([chunks, *[read("").embeddings[:1]] * lacking])
    if emphasis == "Original" and any(read(one).weights is not None for one in text.together):
        chunks = chunks * _means_restored(text, read, count)[:, None, None].to(chunks)
    return chunks.reshape(1, -1, chunks.shape[-1])


def _means_restored(text: Text, read: Callable[[str], Read], count: int) -> torch.Tensor:
    """Return what gives each chunk the mean that it had without weights: (count,).

    As in A1111 that is the mean over all texts of a schedule, which are read in one go, made up by empty chunks.
    """
    plain, weighed = torch.zeros(count), torch.zeros(count)
    together = [read(one) for one in text.together]
    longest = max(len(one.embeddings) for one in together)
    for one in together:
        for sums, means in zip((plain, weighed), one.means, strict=True):
            sums[: len(means)] += means.float().cpu()
            if len(means) < longest:
                sums[len(means) : longest] += read("").means[0][0].float().cpu()
    changed = (plain != weighed) & (weighed != 0)
    return torch.where(changed, plain / torch.where(changed, weighed, 1), 1)


def _plain_ids(encoder: Encoder, text: str) -> torch.Tensor:
    """Return the tokens of a text that has no weights, (chunks, 77), cut wherever a chunk is full."""
    tokenizer, network = encoder.tokenizer, encoder.network
    length = min(tokenizer.model_max_length, network.config.max_position_embeddings)
    tokens = _ids(tokenizer, text)
    room = length - 2
    rows = []
    for start in range(0, max(len(tokens), 1), room):
        row = [tokenizer.bos_token_id, *tokens[start : start + room], tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (length - len(row)))
    return torch.tensor(rows, device=network.device)


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    return ids


def _marks(tokenizer: Any) -> Marks:
    comma = tokenizer.convert_tokens_to_ids(_COMMA)
    unknown = comma is None or comma == tokenizer.unk_token_id
    return Marks(tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, None if unknown else comma)


def _tokens(encoder: Encoder, text: str, reading: Reading, names: TokenNames) -> Iterator[WeighedToken | Break]:
    """Yield a text's tokens, with embeddings in the place of those of their names, also amid a word."""
    for piece in reading.pieces(text):
        if isinstance(piece, Break):
            yield piece
            continue
        ids, place = _ids(encoder.tokenizer, piece.text), 0
        while place < len(ids):
            if (found := names.at(ids, place)) is None:
                yield WeighedToken(ids[place], piece.weight)
                place += 1
                continue
            name, length = found
            yield WeighedToken(Vectors(name, reading.embeddings[name].length), piece.weight)
            place += length


def _names(encoder: Encoder, embeddings: Mapping[str, Embedding]) -> TokenNames:
    return TokenNames(
        {word: _ids(encoder.tokenizer, word) for word, one in embeddings.items() if encoder.name in one.vectors}
    )


@contextmanager
def _vectors_placed(encoder: Encoder, chunks: Sequence[Chunk], embeddings: Mapping[str, Embedding]) -> Iterator[None]:
    """Have an encoder read vectors where they are placed, in place of what it knows of tokens."""
    if not any(chunk.embeddings for chunk in chunks):
        yield
        return

    def place(_layer: Any, _inputs: Any, embedded: torch.Tensor) -> torch.Tensor:
        placed = embedded.clone()
        for number, chunk in enumerate(chunks):
            for at, vectors in chunk.embeddings:
                given = embeddings[vectors.name].vectors[encoder.name].to(placed)
                room = placed[number, at : at + min(len(given), CHUNK_TOKENS)]
                room[:] = given[: len(room)]
        return placed

    hook = encoder.network.get_input_embeddings().register_forward_hook(place)
    try:
        yield
    finally:
        hook.remove()
