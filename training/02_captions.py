"""Pair every picture with its words, shrink the pictures, train the tokenizer: `python training/02_captions.py`.

Writes `captions.json` (label, tags, group, sampling weight), `pictures.npy` ((pictures, 128, 128, 4) uint8, RGBA with
straight alpha) and a CLIP tokenizer whose byte pairs were learned from the captions alone.
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from settings import CAPTIONS, NPM, PICTURE_SIZE, PICTURES, TOKENIZER, TOKENS
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

log = logging.getLogger("captions")

SMILEYS, PEOPLE, COMPONENTS, ANIMALS, FOOD, TRAVEL, ACTIVITIES, OBJECTS = 0, 1, 2, 3, 4, 5, 6, 7
FAVOURITES = frozenset((Path(__file__).parent / "favourites.txt").read_text(encoding="utf-8").split("\n")) - {""}
FAVOURITE_WEIGHT, CORE_WEIGHT, OTHER_WEIGHT = 4.0, 0.2, 0.02
CORE_WORDS = {SMILEYS: 3, ANIMALS: 2, FOOD: 2, TRAVEL: 1, ACTIVITIES: 1, OBJECTS: 1}
VOCABULARY = 3000
SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def plain(hexcode: str) -> str:
    """Reduce a code point sequence to the form in which both packages agree (no variation selector, no padding)."""
    parts = [part.lstrip("0") for part in re.split(r"[-_]", hexcode.lower())]
    return "-".join(part for part in parts if part != "fe0f")


def read_words() -> dict[str, dict[str, Any]]:
    """Map each plain code to its label, tags and group; skin variants inherit the tags of their parent."""
    words: dict[str, dict[str, Any]] = {}
    for entry in json.loads((NPM / "words" / "package" / "en" / "data.json").read_text(encoding="utf-8")):
        tags = [tag for tag in entry.get("tags") or [] if re.fullmatch(r"[A-Za-z0-9 '\-]+", tag)]
        for form in [entry, *entry.get("skins", [])]:
            words[plain(form["hexcode"])] = {
                "label": form["label"],
                "tags": tags,
                "group": form.get("group", COMPONENTS),
                "toned": form is not entry,
            }
    return words


def clean(label: str) -> str:
    """Write a label as a person would type it: "flag: Samoa" becomes "flag of Samoa", quotes go."""
    label = re.sub(r"[“”\"]", "", label).replace("’", "'")
    label = re.sub(r"^flag: ", "flag of ", label)
    return re.sub(r"^keycap: ", "keycap ", label).replace(": ", ", ").lower()


def weight(word: dict[str, Any]) -> float:
    """Say how often to show a picture: favourites most, then things with short names, then all else.

    A short training cannot learn three thousand names; it learns a few hundred well where most draws go to them.
    """
    if word["label"] in FAVOURITES:
        return FAVOURITE_WEIGHT
    short = len(word["label"].split()) <= CORE_WORDS.get(word["group"], 0)
    return CORE_WEIGHT if short else OTHER_WEIGHT


def load_picture(path: Path) -> np.ndarray:
    """Read one picture as (128, 128, 4) uint8, padded to a square and shrunk with premultiplied alpha."""
    picture = Image.open(path).convert("RGBA")
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    small = square.convert("RGBa").resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BOX).convert("RGBA")
    return np.asarray(small)


def build_entries() -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """List every picture that has words, with the pixels in the same order."""
    words = read_words()
    folder = NPM / "pictures" / "package" / "assets"
    found = [(path, words[plain(path.stem)]) for path in sorted(folder.glob("*.webp")) if plain(path.stem) in words]
    entries, pictures = [], []
    for path, word in found:
        entries.append(
            {
                "file": path.stem,
                "label": clean(word["label"]),
                "tags": [tag.lower() for tag in word["tags"]],
                "group": word["group"],
                "weight": weight(word),
                "held_out": zlib.crc32(path.stem.encode()) % 32 == 0,
            }
        )
        pictures.append(load_picture(path))
    return entries, pictures


def train_tokenizer(entries: list[dict[str, Any]]) -> None:
    """Learn byte pairs from the captions and save them as a CLIP tokenizer (vocab.json, merges.txt, tokenizer.json)."""
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
    bpe.train_from_iterator(
        [text for entry in entries for text in (f"a {entry['label']} emoji", ", ".join(entry["tags"]))],
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            min_frequency=2,
            initial_alphabet=alphabet,
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    model = json.loads(bpe.to_str())["model"]
    vocabulary = dict(model["vocab"])
    for symbol in alphabet:
        vocabulary.setdefault(symbol, len(vocabulary))
        vocabulary.setdefault(f"{symbol}</w>", len(vocabulary))
    for special in (BEGIN, END):
        vocabulary[special] = len(vocabulary)
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS)
    tokenizer.save_pretrained(TOKENIZER)
    (TOKENIZER / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (TOKENIZER / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    log.info("tokenizer of %d entries", len(vocabulary))


def main() -> None:
    """Write captions, pictures and tokenizer."""
    entries, pictures = build_entries()
    CAPTIONS.write_text(json.dumps(entries, indent=0), encoding="utf-8")
    np.save(PICTURES, np.stack(pictures))
    log.info("%d pictures, %d held out", len(entries), sum(entry["held_out"] for entry in entries))
    train_tokenizer(entries)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
