"""The txt2img tab: a picture from words alone."""

from __future__ import annotations

from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.rows.batches import batches
from webui.tabs.drawing.rows.guidance import guidance, shift
from webui.tabs.drawing.rows.hires import hires, request, shown
from webui.tabs.drawing.rows.noise import noise
from webui.tabs.drawing.rows.parts import parts
from webui.tabs.drawing.rows.sampling import sampling, steps
from webui.tabs.drawing.rows.script import script, with_script, with_script_shown
from webui.tabs.drawing.rows.seed import seed
from webui.tabs.drawing.rows.size import size
from webui.tabs.drawing.rows.styles import combinations, styles

TAB = Blueprint(
    kind="txt2img",
    label="txt2img",
    prefix="txt2img",
    above=(styles,),
    rows=(sampling, steps, guidance, shift, size, hires, batches, combinations, seed, noise, parts, script("txt2img")),
    request=with_script(request),
    shown=with_script_shown(shown),
)
