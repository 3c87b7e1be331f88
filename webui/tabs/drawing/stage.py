"""What a drawing tab shows of its job: the picture, how far it is, what it was made with. The scripts fill it."""

from __future__ import annotations

import html as escaping
import json
from collections.abc import Mapping

from webui.components import html

# `data-fields` says where each field of the request stands: what is wrong with one is told there.
STAGE = """
<section class="sd-stage" aria-label="The picture" data-prefix="{prefix}" data-kind="{kind}" data-fields="{fields}">
  <div class="sd-picture" id="{prefix}_stage" data-shows="nothing">
    <button type="button" class="sd-open" id="{prefix}_open" aria-label="Show the picture in full size" hidden>
      <img id="{prefix}_live_preview" alt="" decoding="sync" draggable="true">
    </button>
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
    <div class="sd-send" id="{prefix}_send">
      <button type="button" data-do="reuse-all">Reuse these settings</button>
      <button type="button" data-do="reuse-seed">Reuse seed</button>
      <a data-do="download" download>Download</a>
      <button type="button" data-do="copy">Copy infotext</button>
      <a data-do="open" target="_blank" rel="noopener">Open in new tab</a>
    </div>
    <div id="html_info_{prefix}" class="sd-infotext" aria-label="How this picture was made"></div>
    <p id="{prefix}_folder" class="sd-folder" hidden></p>
    <ul id="{prefix}_job_notes" class="sd-job-notes" aria-label="What happened to this job" aria-live="polite" hidden>
    </ul>
  </div>
</section>
"""


def build(prefix: str, kind: str, homes: Mapping[str, str]) -> None:
    """Make the stage of a tab; `homes` are the ids of the components of its fields, by the fields' names."""
    html(STAGE.format(prefix=prefix, kind=kind, fields=escaping.escape(json.dumps(dict(homes)))))
