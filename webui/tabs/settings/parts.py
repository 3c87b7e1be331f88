"""The parts of the Settings tab that are no settings. They start empty; the scripts in `assets/settings/` fill them."""

from __future__ import annotations

SEARCH = (
    '<input type="search" id="settings_search" class="sd-search" placeholder="Search the settings" '
    'aria-label="Search the settings" autocomplete="off">'
)

# Why settings and restarts are closed to who looks; `assets/page/rights.js` fills it.
RIGHTS = '<p id="settings_rights" class="sd-answer" data-tone="quiet" role="status"></p>'

WAITING = '<p id="settings_waiting" class="sd-answer sd-waits" data-tone="quiet" role="status" hidden></p>'

NONE = '<p id="settings_none" class="sd-none" role="status" hidden></p>'

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

ABOUT = '<h2>This program</h2><dl id="steady_about" class="sd-about"></dl>'
