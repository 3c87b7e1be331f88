"""The checkers of the page's scripts are installed whole or not at all, and say which of them found something."""

from pathlib import Path
from typing import Any

import pytest

from tests.javascript import check


def test_an_installation_that_was_cut_short_is_taken_up_again_and_a_whole_one_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [1, 0]
    asked: list[Path] = []

    def npm(words: list[str], cwd: Path) -> int:
        assert words[0] == "ci"
        assert (cwd / "package-lock.json").read_bytes() == (check.FOLDER / "package-lock.json").read_bytes()
        asked.append(cwd)
        return codes.pop(0)

    monkeypatch.setattr(check, "npm", npm)
    assert [check.install(tmp_path) for _ in range(3)] == [False, True, True]
    assert asked == [tmp_path, tmp_path]
    (tmp_path / "installed").write_text("another list")
    codes.append(0)
    assert check.install(tmp_path)
    assert len(asked) == 3


@pytest.mark.parametrize(("found", "words"), [((), ""), (("biome",), "biome"), (("biome", "tsc"), "biome and tsc")])
def test_each_checker_runs_and_those_that_found_something_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: tuple[str, ...],
    words: str,
) -> None:
    ran: list[str] = []

    def node(arguments: list[str], **_named: Any) -> int:
        ran.append(Path(arguments[0]).name)
        return int(ran[-1] in found)

    monkeypatch.setattr(check, "install", lambda _folder: True)
    monkeypatch.setattr(check, "node", node)
    assert check.main(tmp_path) == (1 if found else 0)
    assert ran == ["biome", "tsc"]
    assert capsys.readouterr().out == (f"{words} found something wrong in webui/assets: see above.\n" if found else "")
