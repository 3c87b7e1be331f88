"""Write docs/samplers.md from the samplers and their figures: `python docs/generate_samplers.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from modules.jobs.flow_figures import FIGURES, SHIFT, STEPS, STRAYS_PERCENT  # noqa: E402
from modules.jobs.samplers import SAMPLERS, SCHEDULES  # noqa: E402

ABOUT = f"""\
# Samplers

Every sampler and schedule type draws with every model whose denoiser predicts noise or a flow. This page is made by
`python docs/generate_samplers.py`.

## With flow models

Stable Diffusion 3, Flux, Chroma, Z-Image, Qwen-Image, Lumina 2, Sana and others predict a flow, from noise to the
picture. All samplers work with them: the model is translated, and not the sampler, so what a sampler adds on the way
has the right strength and nothing of it is left at the end.

* **Automatic** is the model's own list of steps, with the shift that it wants. Euler with it is the model's own
  sampler, to the bit, where that is Euler; so is DPM++ 2M with Sana.
* **Uniform** and **SGM Uniform** spread the steps evenly over time and shift them; the first ends at the lowest level
  that the model was trained for, the second a step above nothing, as Flux and its kin ask for it.
* **Karras**, **Exponential** and **Beta** spread them over t, the part of the noise in a sample.
* **Shift** moves the steps towards the noise: more of them for the whole, fewer for the fine. Left empty it is the
  model's own, with some families that of the size.

How far {STEPS} steps with shift {SHIFT:g} end from a fine solution, in percent of the contrast of what is drawn; for a
model whose answer is known exactly. `python -m benchmarks.flow_samplers` measures it. {STRAYS_PERCENT} and more is in
bold, and the page and the job say so. LCM is for models that were distilled for it, and Euler a wants more steps; these
figures say nothing of models that were distilled for few steps.
"""


def samplers_page() -> str:
    """Return the whole document."""
    lines = [ABOUT, "| |" + "".join(f" {one.label} |" for one in SCHEDULES), "|---|" + "---:|" * len(SCHEDULES)]
    for sampler in SAMPLERS:
        cells = (_cell(FIGURES[sampler.name].get(one.label)) for one in SCHEDULES)
        lines.append(f"| {sampler.name} |" + "".join(f" {cell} |" for cell in cells))
    return "\n".join(lines) + "\n"


def _cell(figure: int | None) -> str:
    if figure is None:
        return ""
    return f"**{figure}**" if figure >= STRAYS_PERCENT else str(figure)


if __name__ == "__main__":
    (HERE / "samplers.md").write_text(samplers_page(), encoding="utf-8")
