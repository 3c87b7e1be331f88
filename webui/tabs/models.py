"""The Models tab: what there is to draw with, as cards. `assets/models/` fills it from /sdapi/v1/models."""

from __future__ import annotations

from webui.components import html

MODELS = """
<div id="steady_models" class="sd-models">
  <p class="sd-unseen" id="steady_models_said" aria-live="polite"></p>
  <div class="sd-models-bar" role="search" aria-label="Models">
    <input type="search" id="steady_models_search" class="sd-search" placeholder="Search models" autocomplete="off"
      aria-label="Search models by name, family or hash">
    <select id="steady_models_kind" class="sd-select" aria-label="Kind" hidden></select>
    <select id="steady_models_family" class="sd-select" aria-label="Family"></select>
    <select id="steady_models_sort" class="sd-select" aria-label="Order">
      <option value="name">By name</option>
      <option value="date,descending">Newest first</option>
      <option value="size,descending">Largest first</option>
      <option value="size">Smallest first</option>
    </select>
    <span class="sd-models-count" id="steady_models_count" role="status"></span>
    <button type="button" class="sd-small" id="steady_models_trash" data-models="trash" hidden>Trash</button>
    <button type="button" class="sd-small" id="steady_downloads_open" data-download="open" aria-expanded="false"
      aria-controls="steady_downloads_ask" hidden>Download …</button>
  </div>
  <div id="steady_models_problem" class="sd-answer" data-tone="problem" role="alert" hidden></div>
  <section class="sd-panel sd-downloads" id="steady_downloads" aria-label="Downloads" hidden>
    <div id="steady_downloads_ask" hidden>
      <div class="sd-downloads-off" id="steady_downloads_off" hidden>
        <p><b>Downloads are off.</b> They are the one thing that leaves this machine: huggingface.co is asked for the
          model that you name, and learns your address. All else here works without any network.</p>
        <button type="button" class="sd-small sd-go" id="steady_downloads_allow" data-download="allow"
          >Allow downloads</button>
      </div>
      <form id="steady_downloads_form" hidden>
        <div class="sd-downloads-line">
          <input type="text" id="steady_downloads_address" class="sd-search" autocomplete="off" spellcheck="false"
            placeholder="org/name, or an address on huggingface.co" aria-label="Model on the Hugging Face Hub">
          <button type="submit" class="sd-small sd-go">Download</button>
        </div>
        <label class="sd-downloads-half"><input type="checkbox" id="steady_downloads_half"> Half precision where there
          is such: half the size, hardly a difference</label>
        <p class="sd-none" id="steady_downloads_from"></p>
      </form>
      <details class="sd-downloads-more"><summary>Access token, and turning this off</summary>
        <form id="steady_downloads_token_form" class="sd-downloads-line">
          <input type="password" id="steady_downloads_token" class="sd-search" autocomplete="off"
            placeholder="hf_…" aria-label="Access token of huggingface.co">
          <button type="submit" class="sd-small">Keep</button>
          <button type="button" class="sd-small" id="steady_downloads_forget" data-download="forget" hidden
            >Forget it</button>
        </form>
        <p class="sd-none" id="steady_downloads_token_words"></p>
        <button type="button" class="sd-small" data-download="forbid">Turn downloads off</button>
      </details>
    </div>
    <ul id="steady_downloads_list" aria-label="Downloads"></ul>
  </section>
  <ul id="steady_models_grid" class="sd-cards" aria-label="Models"></ul>
  <p class="sd-none sd-models-none" id="steady_models_none" hidden></p>
  <div id="steady_models_end" aria-hidden="true"></div>
</div>
"""


def build() -> None:
    """Make the tab. Its buttons are requests of their own; "Use" presses a listener of the bar (webui/header.py)."""
    html(MODELS)
