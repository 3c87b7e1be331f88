"""Write docs/models.md from trials with tiny models: `python docs/generate_models.py`. It takes about a minute."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from modules.jobs.models.families import label_of  # noqa: E402
from modules.jobs.models.other_pipelines import NEEDS, NOT_DRAWN  # noqa: E402

_YES, _NO = "yes", "**no**"
# What a "no" is for.
_REMARKS: Mapping[str, str] = {
    "HunyuanImagePipeline": "in float32 only; in many steps not to the bit: its guider remembers what no state holds",
    "LatentConsistencyModelPipeline": "guidance is an input of its denoiser",
    "Flux2Pipeline": "it knows no negative prompt",
    "Ideogram4Pipeline": "it knows no negative prompt; a second transformer takes its place",
    "HunyuanDiTPAGPipeline": "in float32 only; it asks the denoiser for a third time",
    "HunyuanDiTPipeline": "in float32 only",
}
_HEAD = """\
# Models

What is drawn with, as folders in the layout of diffusers. Each row of the first table is a tiny model with random
weights that the tests save to a folder and then use as a job does: load it, encode words once, draw two steps, make
previews, stop before one of the blocks of a step, draw again to the same bits, pause, write the state down, and go on
from there to the same bits. This page is made by `python docs/generate_models.py`; a test holds that it is true.

*Either prompt*: previews can show what the prompt or the negative prompt alone would make of the picture. *Stops*: in a
step. *img2img*: it begins with a picture at any step. *Inpaint*: what is known of a picture is known in each step, and
ends as it was ([how](pictures.md)).

| pipeline | drawn as | draws | words once | previews | either prompt | stops | resumes | img2img | inpaint | remark |
|---|---|---|---|---|---|---|---|---|---|---|
"""
_MORE = """
## Drawn with, without a tiny model

| pipeline | |
|---|---|
"""
_NEEDS = """
## Needs a package that is not brought along

Installed into `.venv`, it is used. A processor of pictures and words without its package gives its tokenizer alone,
which is all that drawing from words reads; these need more.

| pipeline | package |
|---|---|
"""
_NOT = """
## Not drawn with

| pipeline | it |
|---|---|
"""


def row_of(name: str, found: Any) -> str:
    """Return the row of a model."""
    values = (
        found.draws, found.words_kept, found.previews, found.both, found.stops, found.resumes, found.img2img,
        found.inpaint,
    )  # fmt: skip
    told = " | ".join(_YES if value else _NO for value in values)
    family = "by its signature" if found.family == name else label_of(found.family)
    return f"| {name} | {family} | {told} | {_REMARKS.get(name, '')} |"


def tried_rows() -> list[str]:
    """Return a row for each tiny model."""
    from tests.engine.tiny_models.registry import TINY_MODELS, tiny_model
    from tests.engine.tiny_models.trial import Trial

    rows = []
    for name in TINY_MODELS:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row_of(name, Trial(tiny_model(name), Path(folder)).find()))
    return rows


def models_page(rows: list[str]) -> str:
    """Return the whole document, with these rows of what was tried."""
    from tests.engine.tiny_models.registry import WITHOUT_MODEL

    more = "\n".join(f"| {name} | {told} |" for name, told in sorted(WITHOUT_MODEL.items()))
    needs = "\n".join(f"| {name} | {package} |" for name, package in sorted(NEEDS.items()))
    refused = "\n".join(f"| {name} | {reason} |" for name, reason in sorted(NOT_DRAWN.items()))
    parts = (_HEAD, "\n".join(rows), "\n", _MORE, more, "\n", _NEEDS, needs, "\n", _NOT, refused, "\n")
    return "".join(parts)


if __name__ == "__main__":
    import torch

    from modules.engine.assembly import quieten_libraries

    quieten_libraries()
    torch.set_num_threads(1)
    (HERE / "models.md").write_text(models_page(tried_rows()), encoding="utf-8")
