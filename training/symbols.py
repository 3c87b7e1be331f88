"""Say which emoji stands for which name that the model was trained on: `python training/symbols.py`.

Writes `symbols.json` into the committed model's folder; the export writes it too. Programs that know the file put the
name in the place of the character before they encode a prompt. Forms with a skin tone whose name is that of the plain
form and that of the tone are left out: they follow.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from captioning import clean
from settings import MODEL, NPM, SKIN_TONES, plain, without_tone

log = logging.getLogger("symbols")

WORDS = NPM / "words" / "package" / "en" / "data.json"
FILE = "symbols.json"


def symbol_of(code: str) -> str:
    """Return the characters of a plain code: "2764" is a heart without the selector of its look."""
    return "".join(chr(int(part, 16)) for part in code.split("-"))


def list_symbols(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Map characters to names, those of skin tones only where the name does not follow from its parts."""
    forms = [form for entry in entries for form in (entry, *entry.get("skins", []))]
    names = {plain(form["hexcode"]): clean(form["label"]) for form in forms}
    return {symbol_of(code): name for code, name in sorted(names.items()) if name != composed(code, names)}


def composed(code: str, names: dict[str, str]) -> str | None:
    """Return the name that a form with skin tones has by its parts; None for a form without."""
    tones = dict.fromkeys(part for part in code.split("-") if part in SKIN_TONES)
    bare = without_tone(code)
    if not tones or bare not in names:
        return None
    return ", ".join([names[bare], *(names[tone] for tone in tones)])


def write_symbols(folder: Path) -> None:
    """Write the file into a model's folder."""
    symbols = list_symbols(json.loads(WORDS.read_text(encoding="utf-8")))
    text = json.dumps(symbols, ensure_ascii=False, indent=0) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")
    log.info("%d characters have names", len(symbols))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_symbols(MODEL)
