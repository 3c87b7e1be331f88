"""The Models tab: what there is to draw with, as cards. `assets/models/` fills it from /sdapi/v1/models."""

from __future__ import annotations

from webui.components import html

MODELS = """
<div id="steady_models" class="sd-models">
  <p class="sd-unseen" id="steady_models_said" aria-live="polite"></p>
  <div class="sd-models-bar" role="search" aria-label="Models">
    <input type="search" id="steady_models_search" class="sd-search" placeholder="Search models" autocomplete="off"
      aria-label="Search models by name, family, notes or hash">
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
  </div>
  <div id="steady_models_problem" class="sd-answer" data-tone="problem" role="alert" hidden></div>
  <ul id="steady_models_grid" class="sd-cards" aria-label="Models"></ul>
  <p class="sd-none sd-models-none" id="steady_models_none" hidden></p>
  <div id="steady_models_end" aria-hidden="true"></div>
</div>
"""


def build() -> None:
    """Make the tab. Its buttons are requests of their own; "Use" presses a listener of the bar (webui/header.py)."""
    html(MODELS)
