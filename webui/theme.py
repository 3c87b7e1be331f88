"""How the page looks, and what it loads: Gradio's theme, mapped onto the variables of `assets/page/page.css`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).resolve().parent / "assets"
STYLES = (
    "photoswipe/photoswipe.css", "page/page.css", "stage/stage.css", "stage/viewer.css", "stage/compare.css",
    "stage/grid.css", "fields/fields.css", "fields/pictures.css", "queue/queue.css", "page/confirm.css",
    "settings/settings.css", "models/models.css", "fields/takeover.css", "styles/styles.css", "prompts/prompts.css",
    "editor/editor.css", "starting/starting.css", "script/script.css", "png_info/png_info.css", "page/phone.css",
)  # in this order: later ones win  # fmt: skip
SYSTEM_FONT = ("system-ui", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
SYSTEM_MONO = ("ui-monospace", "Cascadia Mono", "DejaVu Sans Mono", "monospace")

# Every colour is a variable of page.css, which knows light and dark itself; so Gradio's dark values are the same.
_COLOURS = {
    "body_background_fill": "var(--ground)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--quiet)",
    "background_fill_primary": "var(--panel)",
    "background_fill_secondary": "var(--sunk)",
    "border_color_accent": "var(--accent)",
    "border_color_accent_subdued": "var(--accent)",
    "border_color_primary": "var(--line)",
    "color_accent_soft": "var(--accent-wash)",
    "block_background_fill": "transparent",
    "block_border_color": "transparent",
    "block_info_text_color": "var(--quiet)",
    "block_label_background_fill": "transparent",
    "block_label_text_color": "var(--quiet)",
    "block_title_background_fill": "transparent",
    "block_title_text_color": "var(--quiet)",
    "checkbox_background_color": "var(--sunk)",
    "checkbox_background_color_focus": "var(--sunk)",
    "checkbox_background_color_hover": "var(--sunk)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--line)",
    "checkbox_border_color_focus": "var(--accent)",
    "checkbox_border_color_hover": "var(--quiet)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_text_color": "var(--ink)",
    "input_background_fill": "var(--sunk)",
    "input_background_fill_focus": "var(--sunk)",
    "input_background_fill_hover": "var(--sunk)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_border_color_hover": "var(--line)",
    "input_placeholder_color": "var(--quiet)",
    "slider_color": "var(--accent)",
    "loader_color": "var(--accent)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-strong)",
    "button_primary_border_color": "transparent",
    "button_primary_border_color_hover": "transparent",
    "button_primary_text_color": "var(--accent-ink)",
    "button_secondary_background_fill": "var(--panel)",
    "button_secondary_background_fill_hover": "var(--hover)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_border_color_hover": "var(--line)",
    "button_secondary_text_color": "var(--ink)",
}
_SIZES = {
    "block_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "0px",
    "block_shadow": "none",
    "block_title_text_size": "12.5px",
    "block_title_text_weight": "400",
    "block_info_text_size": "12.5px",
    "form_gap_width": "0px",
    "layout_gap": "12px",
    "input_border_width": "1px",
    "input_padding": "7px 11px",
    "input_radius": "8px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "14px",
    "button_border_width": "1px",
    "button_large_radius": "9px",
    "button_large_text_size": "14px",
    "button_large_text_weight": "600",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "button_transform_hover": "none",
    "button_transform_active": "none",
    "container_radius": "0px",
}
# These have no dark form in Gradio.
_ONE_FORM = {"checkbox_border_radius": "5px", "color_accent": "var(--accent)"}


def make_theme() -> Any:
    """Build Gradio's theme. Fonts are the system's own: the page asks no host but its own for anything."""
    theme = gr.themes.Base(font=SYSTEM_FONT, font_mono=SYSTEM_MONO)
    dark = {f"{name}_dark": value for name, value in _COLOURS.items()}
    return theme.set(**_COLOURS, **dark, **_SIZES, **_ONE_FORM)


def head(version: str, colours: str) -> str:
    """Write what the page's `<head>` adds. `colours` is the setting `theme`: auto, light or dark.

    `version` is that of the assets: under it a browser keeps them.

    The inline script picks the colours before anything is painted, so that no dark page flashes white, and notes which
    fields people are at before the page's scripts are there (assets/drawing/remembered_fields.js asks).

    It also takes Gradio a sixth of what a load costs. Gradio looks through all listeners for each of its components,
    and through all components for each event that is listened to. Svelte watches whatever is a plain object, and what
    is watched is slow to read: listeners, which never change, are none. And "then" is no event of a component.
    """
    choose = f"""<script>
window.steadyReady = new Promise((ready) => {{ window.steadyIsReady = ready; }});
window.steadyTouched = new Set();
{{
  const unwatched = Object.create(Object.prototype);
  for (const listener of window.gradio_config?.dependencies ?? []) {{
    listener.targets = listener.targets.filter(([component]) => component !== null);
    Object.setPrototypeOf(listener, unwatched);
  }}
}}
for (const kind of ["input", "mousedown"]) {{
  document.addEventListener(kind, ({{ target }}) => {{
    const touched = kind === "input" ? target : target.closest?.("[role=option]") && document.activeElement;
    if (touched) window.steadyTouched.add(touched);
  }}, true);
}}
(() => {{
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  root.dataset.coloursSetting = "{colours}";
  try {{ root.dataset.coloursSetting = localStorage.getItem("steady.colours.setting") || "{colours}"; }} catch {{}}
  window.steadyColours = () => {{
    let choice = null;
    try {{ choice = localStorage.getItem("steady.colours"); }} catch {{ /* storage is off: the setting decides */ }}
    choice ||= root.dataset.coloursSetting;
    root.dataset.theme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
    document.body?.classList.toggle("dark", root.dataset.theme === "dark");
  }};
  try {{ root.dataset.job = sessionStorage.getItem("steady.job") || "none"; }} catch {{ /* the first news says it */ }}
  system.addEventListener("change", window.steadyColours);
  document.addEventListener("DOMContentLoaded", window.steadyColours);
  window.steadyColours();
}})();
</script>"""
    sheets = "".join(f'<link rel="stylesheet" href="/steady/assets/{version}/{name}">' for name in STYLES)
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
        f'<link rel="icon" type="image/svg+xml" href="/steady/assets/{version}/mark.svg">'
        f'{sheets}{choose}<script type="module" src="/steady/assets/{version}/app.js"></script>'
    )


def mount_arguments(version: str, colours: str = "auto") -> dict[str, Any]:
    """Return what `gr.mount_gradio_app` is given besides the app, the Blocks and the path."""
    return {
        "theme": make_theme(),
        "head": head(version, colours),
        "run_history": False,
        "footer_links": [],
        "ssr_mode": False,
        "show_error": True,
    }
