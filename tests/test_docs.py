"""The documents cannot drift from the program."""

import importlib.util
import re
from pathlib import Path

import pytest

from modules.cmd_args import parse
from modules.launcher.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", ["settings", "samplers"])
def test_a_page_that_is_made_is_up_to_date(name: str) -> None:
    spec = importlib.util.spec_from_file_location(f"generate_{name}", ROOT / "docs" / f"generate_{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page == getattr(module, f"{name}_page")()


def test_the_readme_names_only_flags_that_exist() -> None:
    flags = re.findall(
        r"^\| `(--[a-z-]+)(?: (\S+))?` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(flags) >= 8
    for flag, value in flags:
        parse([flag, value] if value else [flag])


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http", "<")) and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {int(code) for code in ExitCode}
