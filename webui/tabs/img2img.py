"""The img2img tab: a picture from a picture, the whole of it or what is masked, or larger than it was."""

from __future__ import annotations

from webui.tabs.drawing.blueprint import Blueprint
from webui.tabs.drawing.rows.batch_pictures import batch_pictures
from webui.tabs.drawing.rows.batches import batches
from webui.tabs.drawing.rows.denoising import denoising
from webui.tabs.drawing.rows.guidance import guidance, shift
from webui.tabs.drawing.rows.masking import masking
from webui.tabs.drawing.rows.noise import noise
from webui.tabs.drawing.rows.outpainting import outpainting
from webui.tabs.drawing.rows.parts import parts
from webui.tabs.drawing.rows.resizing import resizing
from webui.tabs.drawing.rows.sampling import sampling, steps
from webui.tabs.drawing.rows.script import script, with_script, with_script_shown
from webui.tabs.drawing.rows.seed import seed
from webui.tabs.drawing.rows.starting import starting
from webui.tabs.drawing.rows.styles import combinations, styles
from webui.tabs.drawing.start_request import request_of, shown_of

TAB = Blueprint(
    kind="img2img",
    label="img2img",
    prefix="img2img",
    above=(styles,),
    middle=(starting, batch_pictures),
    rows=(
        masking,
        outpainting,
        denoising,
        resizing,
        sampling,
        steps,
        guidance,
        shift,
        batches,
        combinations,
        seed,
        noise,
        parts,
        script("img2img"),
    ),
    request=with_script(request_of),
    shown=with_script_shown(shown_of),
    welcome="Open a picture to start from, write what is to become of it, and press Generate.",
)
