"""The documents cannot drift from the program."""

import importlib.util
import re
from pathlib import Path

import pytest

from modules.cmd_args import _parser, parse
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.fields import OVERRIDABLE_SETTINGS
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


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
            place = page.parent / target if target else page
            if not target.startswith(("http", "<")) and not (place.exists() and anchor in {"", *anchors(place)}):
                broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return what the headings of a document are called in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.suffix == ".md" else []
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_files_and_tests_that_documents_name_are_there() -> None:
    missing = []
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue  # It tells of what was.
        for name in re.findall(
            r"`(?!\S*NAME)((?:tests|modules|webui|docs|benchmarks)/[\w./]+\.\w+(?:::\w+)?)`", page.read_text()
        ):
            path, _, test = name.partition("::")
            if not (ROOT / path).is_file() or (test and f"def {test}(" not in (ROOT / path).read_text()):
                missing.append(f"{page.name}: {name}")
    assert missing == []


def test_every_flag_and_every_setting_of_a_request_is_documented() -> None:
    pages = "".join((ROOT / name).read_text() for name in ("README.md", "docs/running.md", "docs/api.md"))
    flags = {flag for action in _parser()._actions for flag in action.option_strings if flag.startswith("--")}
    assert sorted(flag for flag in flags - {"--help"} if f"`{flag}" not in pages) == []
    api = (ROOT / "docs" / "api.md").read_text()
    assert sorted(name for name in {*OVERRIDABLE_SETTINGS, MODULES} if f"`{name}`" not in api) == []


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {int(code) for code in ExitCode}
