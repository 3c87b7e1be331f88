"""The parts of the page that show what happens now. They start empty; the scripts in `assets/` fill them."""

from __future__ import annotations

MARK = (
    '<h1 class="sd-mark"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" aria-hidden="true"><path d="M3 7c3-4 5 4 8 0s5 4 10 0" opacity=".35"/>'
    '<path d="M3 12.5c4-2 6 1.5 9 .3s5-.6 9-.3" opacity=".65"/><path d="M3 18h18"/></svg>'
    "<span>Steady Diffusion</span></h1>"
)

STATUS = """
<span class="sd-status">
  <span class="sd-pill" id="steady_status">
    <span class="sd-dot"></span><span class="sd-words">Connecting …</span><span class="sd-device"></span
    ><span class="sd-instance"></span></span>
  <button type="button" class="sd-pill sd-queue-pill" id="steady_queue_pill" title="Open the queue">Queue 0</button>
  <button type="button" class="sd-tool-plain" id="steady_colours" aria-label="Light or dark" title="Light or dark">
  </button>
</span>
"""

BANNERS = '<div id="steady_banners" class="sd-banners" role="alert"></div>'

STAGE = """
<section class="sd-stage" aria-label="The picture">
  <div class="sd-picture" id="txt2img_stage" data-shows="nothing">
    <button type="button" class="sd-open" id="txt2img_open" aria-label="Show the picture in full size" hidden>
      <img id="txt2img_live_preview" alt="" decoding="sync" draggable="true">
    </button>
    <div class="sd-empty" id="txt2img_empty"></div>
  </div>
  <div id="txt2img_progress" class="sd-progress" role="progressbar" aria-label="This job"
    aria-valuenow="0" aria-valuemin="0" aria-valuemax="100"><i style="flex:1"></i></div>
  <div class="sd-line">
    <div class="sd-phase" id="txt2img_phase"><b>Connecting …</b></div>
    <span class="sd-note" id="txt2img_note" hidden></span>
    <span class="sd-aside">
      <button type="button" class="sd-text sd-live" id="txt2img_live" hidden>Back to live</button>
      <button type="button" class="sd-text" id="txt2img_other" hidden></button>
      <button type="button" class="sd-text" id="txt2img_back" hidden></button>
      <button type="button" class="sd-text" id="txt2img_paused_jobs" title="Open the queue" hidden></button>
    </span>
  </div>
  <div class="sd-unseen" id="txt2img_phase_live" aria-live="polite"></div>
  <div id="txt2img_gallery" class="sd-strip" role="group" aria-label="Your pictures, the newest last"></div>
  <div class="sd-panel sd-info">
    <div class="sd-send" id="txt2img_send">
      <button type="button" data-do="reuse-all">Reuse these settings</button>
      <button type="button" data-do="reuse-seed">Reuse seed</button>
      <a data-do="download" download>Download</a>
      <button type="button" data-do="copy">Copy infotext</button>
      <a data-do="open" target="_blank" rel="noopener">Open in new tab</a>
    </div>
    <div id="html_info_txt2img" class="sd-infotext" aria-label="How this picture was made"></div>
    <p id="txt2img_folder" class="sd-folder" hidden></p>
    <ul id="txt2img_job_notes" class="sd-job-notes" aria-label="What happened to this job" aria-live="polite" hidden>
    </ul>
  </div>
</section>
"""

MENU = """
<span class="sd-menu-holder">
  <button type="button" class="sd-more" id="txt2img_more" aria-haspopup="menu" aria-expanded="false"
    aria-label="More ways to draw and to stop" title="More">▾</button>
  <div class="sd-menu" id="txt2img_menu" role="menu" hidden>
    <button type="button" role="menuitem" data-press="txt2img_pause" data-for="mine" class="sd-narrow"
      >Pause this job</button>
    <button type="button" role="menuitem" data-press="txt2img_stop_after" data-for="mine other"
      >Stop after this image</button>
    <button type="button" role="menuitem" data-press="txt2img_skip" data-for="other"
      >Skip this image</button>
    <button type="button" role="menuitem" data-press="txt2img_pause" data-for="other"
      >Pause this job</button>
    <button type="button" role="menuitem" data-press="txt2img_interrupt" data-for="other"
      >Interrupt this job</button>
    <button type="button" role="menuitemcheckbox" aria-checked="false" id="txt2img_forever"
      >Generate forever</button>
    <button type="button" role="menuitem" data-press="txt2img_interrupt" data-for="paused" class="sd-stop-item"
      >Cancel this job</button>
  </div>
</span>
"""

SIZES = '<div id="txt2img_sizes" class="sd-chips" role="group" aria-label="Sizes that suit the model"></div>'

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

SETTINGS_WAITING = '<p id="settings_waiting" class="sd-answer sd-waits" data-tone="quiet" role="status" hidden></p>'

# Why settings and restarts are closed to who looks; `assets/page/rights.js` fills it.
SETTINGS_RIGHTS = '<p id="settings_rights" class="sd-answer" data-tone="quiet" role="status"></p>'

OTHER_DEVICE = """
<h2>Use on another device</h2>
<div id="steady_device"></div>
<p id="steady_user" class="sd-user" hidden></p>
"""

WHEN_DONE = """
<h2>When my pictures are done</h2>
<div id="steady_when_done" class="sd-done">
  <p class="sd-none">For this browser alone, and while its page is out of sight.</p>
  <div class="sd-done-row"><label><input type="checkbox" data-done="sound"><span>Sound</span></label>
    <input type="range" min="5" max="100" step="5" data-done="volume" data-of="sound" aria-label="Volume of the sound">
    <button type="button" class="sd-small" id="steady_done_try" data-of="sound">Hear it</button></div>
  <div class="sd-done-row"><label><input type="checkbox" data-done="notification"
    ><span>Notification</span></label></div>
  <div class="sd-done-row"><label><input type="checkbox" data-done="always"
    ><span>Also while the page is in sight</span></label></div>
  <p class="sd-answer" data-tone="problem" id="steady_done_said" role="status" hidden></p>
</div>
"""

ABOUT = '<h2>This program</h2><dl id="steady_about" class="sd-about"></dl>'

AUDIT = """
<details id="steady_audit" class="sd-audit"><summary>Who did what</summary>
  <p class="sd-none">Interrupts, restarts, changes of the queue and of settings, the newest first.</p>
  <table><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th></tr></thead>
    <tbody id="steady_audit_rows"></tbody></table>
  <p class="sd-none" id="steady_audit_none" hidden>Nothing yet.</p>
  <p><button type="button" class="sd-small" id="steady_audit_more" hidden>Show older ones</button>
    <button type="button" class="sd-small" id="steady_audit_again">Read again</button></p>
</details>
"""

SETTINGS_NONE = '<p id="settings_none" class="sd-none" role="status" hidden></p>'

SETTINGS_SEARCH = (
    '<input type="search" id="settings_search" class="sd-search" placeholder="Search the settings" '
    'aria-label="Search the settings" autocomplete="off">'
)

PASTE = (
    '<button type="button" class="sd-paste" id="paste" data-take="paste" '
    'aria-label="Take settings over from the infotext in the prompt, or from the last picture" '
    'title="Take settings over: from the infotext in the prompt, else from the last picture"></button>'
)

# What was taken over from an infotext, and what was not.
TAKEN = '<div id="txt2img_taken" class="sd-taken" role="status" hidden></div>'

PLAIN = '<p class="sd-plain-words">{words}</p>'

TOKENS = '<span class="sd-tokens">{count}</span>'
