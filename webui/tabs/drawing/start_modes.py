"""What is done with the picture that a tab starts from: the sub-tabs of img2img, under A1111's ids."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StartMode:
    """A sub-tab: `panel` and `place` are A1111's ids of it and of what holds its picture.

    `tools` is the editor's mode, "" where there is no editor. `words` say what it is for. `masked`: only a part of the
    picture is drawn anew.
    """

    name: str
    label: str
    panel: str
    place: str
    tools: str
    words: str
    masked: bool = False


MODES = (
    StartMode("img2img", "img2img", "img2img_img2img_tab", "img2img_image", "view",
              "The whole picture is drawn anew, from itself."),
    StartMode("sketch", "Sketch", "img2img_img2img_sketch_tab", "img2img_sketch", "sketch",
              "Paint on the picture: it is drawn anew with what you painted."),
    StartMode("inpaint", "Inpaint", "img2img_inpaint_tab", "img2maskimg", "mask",
              "Paint over what is to be drawn anew; the rest stays as it is.", masked=True),
    StartMode("inpaint_sketch", "Inpaint sketch", "img2img_inpaint_sketch_tab", "inpaint_sketch", "mask+colour",
              "Paint with colours: only where you painted is drawn anew, from those colours.", masked=True),
    StartMode("inpaint_upload", "Inpaint upload", "img2img_inpaint_upload_tab", "img_inpaint_base", "mask",
              "The mask is a file: what is white in it is drawn anew.", masked=True),
    StartMode("outpaint", "Outpaint", "img2img_outpaint_tab", "img2img_outpaint", "view",
              "Draw the frame larger: what is new in it is drawn."),
    StartMode("batch", "Batch", "img2img_batch_tab", "img2img_batch", "",
              "Each of several pictures is drawn anew, with the same settings."),
)  # fmt: skip
NAMES = frozenset(mode.name for mode in MODES)
MASKED = frozenset(mode.name for mode in MODES if mode.masked)
