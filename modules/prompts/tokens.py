"""The tokens of a text, as the model's text encoder sees them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from modules.errors import ModelError

# How CLIP cuts text into words, from the release of CLIP (`simple_tokenizer.py`).
_CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def token_ids(tokenizer_file: Path, texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each text, without marks of start and end, with the model's `tokenizer.json`, or its
    `vocab.json` and `merges.txt`.

    Raises:
        ModelError: the file cannot be read.
    """
    tokenizer = _load(tokenizer_file, stamp_of_tokenizer(tokenizer_file))
    # As a batch: encoding a single text holds the interpreter, and with it all who wait for an answer.
    return [encoded.ids for encoded in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def stamp_of_tokenizer(path: Path) -> int:
    """Return the time of its last change, so that a model that is replaced is read again.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}): fetch the model again.") from error


@functools.lru_cache(maxsize=8)
def _load(path: Path, stamp: int) -> Tokenizer:
    try:
        tokenizer = _load_clip(path) if path.name == "vocab.json" else Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception for anything that is wrong with a file
        raise ModelError(f"{path} cannot be read ({error}): fetch the model again.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _load_clip(vocabulary: Path) -> Tokenizer:
    model = models.BPE.from_file(
        str(vocabulary),
        str(vocabulary.with_name("merges.txt")),
        unk_token="<|endoftext|>",
        continuing_subword_prefix="",
        end_of_word_suffix="</w>",
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
