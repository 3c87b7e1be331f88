"""What is written beside a model is read in all its forms; what is damaged is left out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from modules.api.models.sidecars import Texts, read_texts

VERSION = {
    "id": 1,
    "trainedWords": ["glow", "ink, thin"],
    "description": "<p>Of <b>ink</b> &amp; water.</p><p>a < b</p>",
}
MODEL = {"name": "Ink", "description": "Draws in ink.", "modelVersions": [VERSION, {"trainedWords": ["older"]}]}


def beside(folder: Path, **files: Any) -> Texts:
    for ending, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"ink.{ending.replace('_', '.')}").write_text(text)
    return read_texts(folder / "ink.safetensors", "ink")


@pytest.mark.parametrize(
    ("files", "texts"),
    [
        ({"json": MODEL}, Texts("Draws in ink.", "glow, ink, thin")),
        ({"civitai_info": VERSION}, Texts("Of ink & water.\na < b", "glow, ink, thin")),
        (
            {"json": {"description": "mine", "activation text": "ink", "notes": "n"}, "civitai_info": VERSION},
            Texts("mine", "ink", "n"),
        ),
        ({"txt": "  As it was\nwritten. "}, Texts("As it was\nwritten.")),
        ({"txt": "short", "description_txt": "long"}, Texts("long")),
        ({"json": "[", "civitai_info": {"modelVersions": ["x"], "trainedWords": 7}, "txt": "text"}, Texts("text")),
        ({}, Texts()),
    ],
)
def test_texts_are_found_whoever_wrote_them(tmp_path: Path, files: dict[str, Any], texts: Texts) -> None:
    assert beside(tmp_path, **files) == texts


def test_no_text_is_waited_for_or_read_without_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ink.txt")
    assert beside(tmp_path) == Texts()
    assert len(beside(tmp_path, description_txt="x" * 1_000_000).description) == 20_000
