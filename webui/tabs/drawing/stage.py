"""What a drawing tab shows of its job: the picture, how far it is, what it was made with. The scripts fill it."""

from __future__ import annotations

import html as escaping
import json
from collections.abc import Mapping, Sequence

from webui.components import html
from webui.tabs.drawing.blueprint import Blueprint

# `data-fields` says where each field of the request stands: what is wrong with one is told there.
STAGE = """
<section class="sd-stage" aria-label="The picture" data-prefix="{prefix}" data-kind="{kind}" data-fields="{fields}"
  data-welcome="{welcome}">
  <div class="sd-picture" id="{prefix}_stage" data-shows="nothing">
    <button type="button" class="sd-open" id="{prefix}_open" aria-label="Show the picture in full size" hidden>
      <img id="{prefix}_live_preview" alt="" decoding="sync" draggable="true">
    </button>
    <div class="sd-comparing" id="{prefix}_comparing" hidden></div>
    <button type="button" class="sd-small sd-compare-button" id="{prefix}_compare" data-compare aria-pressed="false"
      title="Compare with the picture that it was made from" hidden>Compare</button>
    <div class="sd-grid" id="{prefix}_grid" hidden></div>
    <div class="sd-empty" id="{prefix}_empty"></div>
  </div>
  <div id="{prefix}_progress" class="sd-progress" role="progressbar" aria-label="This job"
    aria-valuenow="0" aria-valuemin="0" aria-valuemax="100"><i style="flex:1"></i></div>
  <div class="sd-line">
    <div class="sd-phase" id="{prefix}_phase"><b>Connecting …</b></div>
    <span class="sd-note" id="{prefix}_note" hidden></span>
    <span class="sd-aside">
      <button type="button" class="sd-text sd-live" id="{prefix}_live" hidden>Back to live</button>
      <button type="button" class="sd-text" id="{prefix}_other" hidden></button>
      <button type="button" class="sd-text" id="{prefix}_back" hidden></button>
      <button type="button" class="sd-text" id="{prefix}_paused_jobs" title="Open the queue" data-opens="queue" hidden
        ></button>
    </span>
  </div>
  <div class="sd-unseen" id="{prefix}_phase_live" aria-live="polite"></div>
  <div id="{prefix}_gallery" class="sd-strip" role="group" aria-label="Your pictures, the newest last"></div>
  <div class="sd-panel sd-info">
    <div class="sd-send" id="{prefix}_send">{actions}</div>
    <div id="html_info_{prefix}" class="sd-infotext" aria-label="How this picture was made"></div>
    <p id="{prefix}_folder" class="sd-folder" hidden></p>
    <ul id="{prefix}_job_notes" class="sd-job-notes" aria-label="What happened to this job" aria-live="polite" hidden>
    </ul>
  </div>
</section>
"""

# What can be done with a picture: (what the scripts call it, its words, what a pointer is told of it).
_WAYS = (
    ("img2img", "img2img", "Go on from this picture in img2img"),
    ("inpaint", "inpaint", "Draw a part of this picture anew"),
    ("extras", "extras", "Enlarge this picture in Extras"),
    ("hires", "hires", "Draw the second pass of hires fix for this picture now, as its fields in txt2img say"),
)
_DEEDS = (
    ("variations", "Variations", "Four more like it, as one job: a part of the noise is another seed's"),
    ("onward", "From here on", "Its settings and its seed into the fields, to change the words"),
)
_MORE = (
    ("save", "Save", "Keep a copy in the folder of saved pictures, with a line in its log.csv"),
    ("reuse-seed", "Reuse seed", "Its seed into the field"),
    ("copy", "Copy infotext", "How it was made, as text"),
)
_REUSE = ("reuse-all", "Reuse settings", "All of its settings into the fields")
_BUTTON = '<button type="button" data-do="{do}" title="{title}"{more}>{words}</button>'
_DOWNLOAD = '<a data-do="download" download{more}>Download</a>'
_OPEN = '<a data-do="open" target="_blank" rel="noopener" role="menuitem">Open in new tab</a>'
_ACTIONS = """
<span class="sd-ways" role="group" aria-label="Send this picture to">{ways}</span>{deeds}{reuse}{download}
<span class="sd-menu-holder">
  <button type="button" class="sd-more" aria-haspopup="menu" aria-expanded="false" aria-label="More for this picture"
    title="More">⋯</button>
  <div class="sd-menu" role="menu" hidden>{narrow}{more}{open}</div>
</span>
"""


def _actions() -> str:
    """Write what can be done with a picture. What has no room on a phone stands in the menu there."""

    def buttons(of: Sequence[tuple[str, str, str]], more: str = "") -> str:
        return "".join(_BUTTON.format(do=do, words=words, title=title, more=more) for do, words, title in of)

    narrow = ' role="menuitem" class="sd-narrow"'
    return _ACTIONS.format(
        ways=buttons(_WAYS),
        deeds=buttons(_DEEDS),
        reuse=buttons([_REUSE]),
        download=_DOWNLOAD.format(more=""),
        narrow=buttons([*_WAYS, _REUSE], narrow) + _DOWNLOAD.format(more=narrow),
        more=buttons(_MORE, ' role="menuitem"'),
        open=_OPEN,
    )


def build(of: Blueprint, homes: Mapping[str, str]) -> None:
    """Make the stage of a tab; `homes` are the ids of the components of its fields, by the fields' names."""
    fields, welcome = escaping.escape(json.dumps(dict(homes))), escaping.escape(of.welcome)
    html(STAGE.format(prefix=of.prefix, kind=of.kind, fields=fields, welcome=welcome, actions=_actions()))
