"""The Queue tab: what is drawn, waits, is paused, and was. `assets/queue/` fills it from the jobs' own routes."""

from __future__ import annotations

from webui.components import html

QUEUE = """
<div id="steady_queue" class="sd-queue">
  <p class="sd-unseen" id="steady_queue_said" aria-live="assertive"></p>
  <p class="sd-unseen" id="steady_queue_hint">Up and down arrow move the job, Home puts it first, End last.</p>
  <section class="sd-panel" aria-label="Now"><h2>Now</h2>
    <div id="steady_queue_running"></div></section>
  <section class="sd-panel" aria-label="Waiting">
    <div class="sd-head"><h2>Waiting <span id="steady_queue_count"></span></h2>
      <span class="sd-head-words" id="steady_queue_words" role="status"></span>
      <button type="button" class="sd-small" id="steady_queue_pause" data-queue="pause">Pause the queue</button>
      <button type="button" class="sd-small sd-stop" id="steady_queue_clear" data-queue="clear">Cancel all</button>
    </div>
    <ol id="steady_queue_waiting"></ol>
    <p class="sd-none" id="steady_queue_no_waiting" hidden></p></section>
  <section class="sd-panel" aria-label="Paused" id="steady_queue_paused_part" hidden><h2>Paused</h2>
    <ol id="steady_queue_paused"></ol></section>
  <section class="sd-panel" aria-label="Before" id="steady_queue_before">
    <div class="sd-head"><h2>Before <span id="steady_queue_found"></span></h2>
      <span class="sd-head-words" id="steady_queue_past_words" role="status"></span>
      <input type="search" id="steady_queue_search" class="sd-search sd-head-search" placeholder="Search the prompts"
        aria-label="Search the prompts of finished jobs" autocomplete="off"></div>
    <div class="sd-filter">
      <span class="sd-chips" id="steady_queue_filter" role="group" aria-label="Which jobs are shown">
        <button type="button" class="sd-chip" data-queue="filter" data-group="all" aria-pressed="true">All</button>
        <button type="button" class="sd-chip" data-queue="filter" data-group="done" aria-pressed="false">Done</button>
        <button type="button" class="sd-chip" data-queue="filter" data-group="stopped" aria-pressed="false"
          >Stopped</button>
        <button type="button" class="sd-chip" data-queue="filter" data-group="failed" aria-pressed="false"
          >Failed</button>
        <button type="button" class="sd-chip" id="steady_queue_mine" data-queue="filter" aria-pressed="false"
          title="Those of this browser alone">Mine</button></span>
      <button type="button" class="sd-small" id="steady_queue_remove" data-queue="remove" hidden>Remove all</button>
    </div>
    <ol id="steady_queue_past"></ol>
    <p class="sd-none" id="steady_queue_no_past" hidden></p>
    <button type="button" class="sd-small sd-more-rows" id="steady_queue_older" data-queue="older" hidden
      >Show older ones</button></section>
</div>
"""


def build() -> None:
    """Make the tab. It has no listener: its buttons are requests of their own to /sdapi/v1/jobs and /sdapi/v1/queue."""
    html(QUEUE)
