"""Write docs/settings.md from the typed settings: `python docs/generate_settings.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from modules.options import fields_of_settings  # noqa: E402
from modules.setting_field import SettingField  # noqa: E402

NEEDS = {"nothing": "at once", "engine": "after a restart of the engine", "server": "after a restart of the server"}


def values_of(field: SettingField) -> str:
    """Say in words which values a setting takes."""
    if field.type is bool:
        return "true or false"
    if field.choices:
        return ", ".join(f"`{choice}`" for choice in field.choices)
    if field.minimum is not None and field.maximum is not None:
        return f"{field.minimum} to {field.maximum}"
    if field.colour:
        return "a colour as `#ffffff`"
    if field.names:
        return "names with commas between, or none"
    if field.type is float:
        return "a number"
    return "a text" if field.type is str else "a whole number"


def settings_page() -> str:
    """Return the whole document."""
    lines = [
        "# Settings",
        "",
        "The *Settings* tab and `POST /sdapi/v1/options` change these. They are kept in `settings.json` of the data",
        "folder. Names are those of AUTOMATIC1111's webui where it has the setting. This page is made by",
        "`python docs/generate_settings.py`.",
    ]
    section = None
    for field in fields_of_settings():
        if field.section != section:
            section = field.section
            lines += [
                "",
                f"## {section}",
                "",
                "| name | what it does | values | default | applies |",
                "|---|---|---|---|---|",
            ]
        words = f"**{field.label}.** {field.help}".strip()
        default = str(field.default).lower() if field.type is bool else str(field.default)
        shown = f"`{default}`" if default else "none"
        lines.append(f"| `{field.name}` | {words} | {values_of(field)} | {shown} | {NEEDS[field.needs]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "settings.md").write_text(settings_page(), encoding="utf-8")
