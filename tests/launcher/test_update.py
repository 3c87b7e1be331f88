"""New code is used after a restart: the launcher runs from a copy of the tree, whose engine is then changed."""

import shutil
from pathlib import Path

from tests.launcher.conftest import ROOT, Launcher, eventually


def copied_tree(folder: Path) -> Path:
    """Copy what the launcher and its fake children need."""
    for name in ("modules", "tests/launcher"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests" / "__init__.py").touch()
    return folder


def test_new_code_of_the_engine_is_used_after_its_restart_and_the_server_stays(
    launcher: Launcher, tmp_path: Path
) -> None:
    tree = copied_tree(tmp_path / "tree")
    part = tree / "modules" / "engine" / "generation.py"
    part.write_text('NAME = "old"\n')
    (tree / "modules" / "engine" / "__main__.py").write_text(
        "from modules.engine import generation\nfrom tests.launcher import fake_engine\n"
        'fake_engine.main("", {"code": generation.NAME})\n'
    )
    launcher.root = tree
    launcher.command = ["-m", "tests.launcher.fake_launcher", "modules.engine"]
    launcher.start()
    before = launcher.ask()
    assert before["topics"]["engine"]["code"] == "old"
    part.write_text('NAME = "brand new"\n')
    launcher.ask("command restart-engine")
    eventually(lambda: launcher.ask()["topics"]["engine"]["code"] == "brand new")
    assert launcher.ask()["pid"] == before["pid"]
