"""The PNG Info tab: what a picture's file says. `assets/png_info/` fills it from /sdapi/v1/png-info."""

from __future__ import annotations

from webui.components import html

PNG_INFO = """
<div id="pnginfo" class="sd-pnginfo">
  <p class="sd-unseen" id="pnginfo_said" aria-live="polite"></p>
  <div class="sd-pnginfo-left">
    <label id="pnginfo_image" class="sd-pnginfo-image" tabindex="0" role="button" aria-label="Choose a picture">
      <input type="file" id="pnginfo_file" tabindex="-1"
        accept="image/png,image/jpeg,image/webp,image/avif,image/gif,text/plain,application/json">
      <img id="pnginfo_picture" alt="" hidden>
      <span id="pnginfo_empty" class="sd-pnginfo-empty"><b>Drop a picture here, paste one, or choose a file</b>
        <span>PNG, JPEG, WebP, AVIF or GIF of any program; or the text file beside one</span></span>
    </label>
    <div id="pnginfo_send" class="sd-pnginfo-send" role="group" aria-label="Use these settings" hidden>
      <span>Use these settings in</span>
      <button type="button" class="sd-small sd-go" id="pnginfo_txt2img" data-pnginfo="txt2img">txt2img</button>
      <button type="button" class="sd-small" id="pnginfo_img2img" data-pnginfo="img2img">img2img</button>
      <button type="button" class="sd-small" id="pnginfo_inpaint" data-pnginfo="inpaint">inpaint</button>
      <button type="button" class="sd-small" id="pnginfo_extras" data-pnginfo="extras">Extras</button>
    </div>
  </div>
  <div class="sd-pnginfo-right" id="pnginfo_found" hidden>
    <h2 id="pnginfo_title" class="sd-pnginfo-title"></h2>
    <div id="pnginfo_problem" class="sd-answer" data-tone="problem" role="alert" hidden></div>
    <section id="pnginfo_text" class="sd-panel sd-pnginfo-part" aria-label="Infotext" hidden>
      <pre id="pnginfo_infotext" dir="auto" tabindex="0" aria-label="Infotext"></pre>
      <button type="button" class="sd-small" data-pnginfo="copy">Copy</button>
    </section>
    <section id="pnginfo_models" class="sd-pnginfo-part" aria-label="Models"></section>
    <section id="pnginfo_left" class="sd-pnginfo-part" aria-label="Not taken over"></section>
    <section id="pnginfo_rows" class="sd-pnginfo-part" aria-label="Everything found"></section>
  </div>
</div>
"""


def build() -> None:
    """Make the tab. Its pictures go to the REST API, and its buttons through the drawing tabs' own ways."""
    html(PNG_INFO)
