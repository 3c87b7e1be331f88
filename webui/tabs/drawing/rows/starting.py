"""The picture that a tab starts from, in the editor, and what is done with it. The page's scripts fill it."""

from __future__ import annotations

from webui.components import hidden_text, html
from webui.tabs.drawing.form import Form
from webui.tabs.drawing.start_modes import MODES, StartMode

_TAB = """<button type="button" role="tab" id="{prefix}_mode_{name}" data-mode="{name}" data-tools="{tools}"
  aria-controls="{panel}" aria-selected="false" tabindex="-1">{label}</button>"""
_PANEL = """<div role="tabpanel" id="{panel}" class="sd-mode" data-mode="{name}" aria-labelledby="{prefix}_mode_{name}"
  hidden>{more}<div id="{place}" class="sd-place"></div><p class="sd-help">{words}</p></div>"""
_STARTING = """<section class="sd-starting" id="{prefix}_starting" aria-label="The picture to start from">
  <div class="sd-modes" id="mode_{prefix}" role="tablist" aria-label="What is done with the picture">{tabs}</div>
  <div id="{prefix}_start_said"></div>
  {panels}
  <div class="sd-editor-box" id="{prefix}_editor"></div>
</section>"""
_MASK_FILE = """<div class="sd-mask-file" id="img_inpaint_mask">
  <label class="sd-pick"><input type="file" accept="image/*" data-start="mask" aria-label="Choose the mask"
    ><span>Choose the mask …</span></label>
  <span class="sd-help" role="status">Black and white; it may be painted on.</span></div>"""


def starting(form: Form) -> None:
    """Make the sub-tabs and the place of the editor; names of pictures and of the sub-tab are texts out of sight."""
    tabs = "".join(_filled(_TAB, form, mode) for mode in MODES)
    panels = "".join(_filled(_PANEL, form, mode) for mode in MODES)
    html(_STARTING.format(prefix=form.prefix, tabs=tabs, panels=panels))
    home = form.id("start_said")
    form.add("start_mode", hidden_text(form.id("start_mode"), MODES[0].name), home=home)
    form.add("init_images", hidden_text(form.id("init_images")), home=home)
    form.add("mask", hidden_text(form.id("mask")), home=home)


def _filled(text: str, form: Form, mode: StartMode) -> str:
    more = _MASK_FILE if mode.name == "inpaint_upload" else ""
    return text.format(prefix=form.prefix, name=mode.name, label=mode.label, panel=mode.panel, place=mode.place,
                       tools=mode.tools, words=mode.words, more=more)  # fmt: skip
