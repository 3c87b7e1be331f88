"""Pair every picture with its words: `python training/03_captions.py`.

Writes `captions.json` (picture, style, code, label, tags, group, sampling weight) and `everyday_names.json` (how often
everyday words are read as each name). The tokenizer is that of the repository's model, so that what was trained for
the model goes on to fit it; `--new-tokenizer` learns byte pairs from the captions alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import shutil
from typing import Any

from captioning import Captioner, clean
from keywords import build_keywords, read_commonness, read_emoji
from settings import (
    CAPTIONS,
    EVERYDAY_NAMES,
    FAVOURITES,
    MODEL,
    NPM,
    TOKENIZER,
    TOKENS,
    is_toned,
    plain,
    read_picture_list,
)
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer
from words import list_words, weigh_names

log = logging.getLogger("captions")

COMPONENTS = 2
FAVOURITE_WEIGHT, CORE_WEIGHT, OTHER_WEIGHT, TONED_WEIGHT = 1.0, 0.05, 0.01, 0.004
# How many words a name may have to count as everyday, by group: faces, animals, food, places, activities, objects.
CORE_WORDS = {0: 3, 3: 2, 4: 2, 5: 1, 6: 1, 7: 1}
VOCABULARY = 3000
SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def read_synonyms() -> dict[str, list[str]]:
    """Map each plain code to the further keywords that emojilib has for it."""
    content = json.loads((NPM / "synonyms" / "package" / "dist" / "emoji-en-US.json").read_text(encoding="utf-8"))
    return {
        plain("-".join(f"{ord(character):x}" for character in symbol)): [word.replace("_", " ") for word in words]
        for symbol, words in content.items()
    }


def read_words() -> dict[str, dict[str, Any]]:
    """Map each plain code to its label, tags and group; skin variants inherit the tags of their parent."""
    synonyms = read_synonyms()
    words: dict[str, dict[str, Any]] = {}
    for entry in json.loads((NPM / "words" / "package" / "en" / "data.json").read_text(encoding="utf-8")):
        tags = [*(entry.get("tags") or []), *synonyms.get(plain(entry["hexcode"]), [])]
        tags = [tag.lower() for tag in tags if re.fullmatch(r"[A-Za-z0-9 '\-]+", tag)]
        label = clean(entry["label"])
        for form in [entry, *entry.get("skins", [])]:
            words[plain(form["hexcode"])] = {
                "label": clean(form["label"]),
                "tags": sorted(set(tags) - {label}),
                "group": form.get("group", COMPONENTS),
                "favourite": form["label"] in FAVOURITES,
            }
    return words


def weight(word: dict[str, Any], code: str) -> float:
    """Say how often to show a picture: favourites most, then things with short names, then all else.

    A short training cannot learn three thousand names; it learns a few hundred well where most draws go to them.
    """
    if is_toned(code):
        return TONED_WEIGHT
    if word["favourite"]:
        return FAVOURITE_WEIGHT
    short = len(word["label"].split()) <= CORE_WORDS.get(word["group"], 0)
    return CORE_WEIGHT if short else OTHER_WEIGHT


def build_entries() -> list[dict[str, Any]]:
    """List every picture that has words."""
    words = read_words()
    entries = []
    for index, picture in enumerate(read_picture_list()):
        word = words.get(picture["code"])
        if word is not None:
            entries.append({"picture": index, **picture, **word, "weight": weight(word, picture["code"])})
    return entries


def train_tokenizer(texts: list[str]) -> None:
    """Learn byte pairs from captions and save them as a CLIP tokenizer (vocab.json, merges.txt, tokenizer.json)."""
    bpe = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>", continuing_subword_prefix=""))
    bpe.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    model = json.loads(bpe.to_str())["model"]
    vocabulary = dict(model["vocab"])
    for symbol in alphabet:
        vocabulary.setdefault(symbol, len(vocabulary))
        vocabulary.setdefault(f"{symbol}</w>", len(vocabulary))
    for special in (BEGIN, END):
        vocabulary[special] = len(vocabulary)
    merges = [tuple(pair) for pair in model["merges"]]
    CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS).save_pretrained(TOKENIZER)
    (TOKENIZER / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (TOKENIZER / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    log.info("tokenizer of %d entries", len(vocabulary))


def take_tokenizer() -> None:
    """Take over the tokenizer of the repository's model."""
    shutil.copytree(MODEL / "tokenizer", TOKENIZER, dirs_exist_ok=True)
    log.info("tokenizer of %s", MODEL)


def main() -> None:
    """Write captions, everyday words and tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new-tokenizer", action="store_true")
    options = parser.parse_args()
    entries = build_entries()
    CAPTIONS.write_text(json.dumps(entries, indent=0), encoding="utf-8")
    favourites = {entry["label"] for entry in entries if entry["favourite"]}
    log.info("%d pictures with words, %d favourite names", len(entries), len(favourites))
    drawn = {entry["code"]: entry for entry in entries if not is_toned(entry["code"])}
    keywords = build_keywords([emoji for emoji in read_emoji() if emoji.code in drawn], read_commonness())
    weights = weigh_names(keywords, list_words(keywords, drawn))
    EVERYDAY_NAMES.write_text(json.dumps(weights, indent=0), encoding="utf-8")
    log.info("%d names that everyday words are read as", len(weights))
    if options.new_tokenizer or not MODEL.exists():
        train_tokenizer(Captioner(entries).vocabulary_texts())
    else:
        take_tokenizer()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
