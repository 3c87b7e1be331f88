"""Files of wildcards, in the forms that people have them."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modules.prompts.dynamic import wildcards as wildcards_module
from modules.prompts.dynamic.left import describe_left, describe_missing
from modules.prompts.dynamic.wildcard_file import read_wildcards
from modules.prompts.dynamic.wildcards import KnownWildcards, Wildcards
from modules.prompts.library import wildcards_beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "colour.txt").write_text("# a note\nred # as blood\n\n  blue  \n#ff0000\nred\n{dark|light} green\n")
    (tmp_path / "deep" / "my Animals.txt").write_text("cat\ndog\n", encoding="utf-8-sig")
    (tmp_path / "deep" / "tree.yaml").write_text("clothes:\n  warm: [coat, 2::cap, 7]\n  cold:\n    - hat\nnone: 5\n")
    (tmp_path / "deep" / "er" / "list.json").write_text(json.dumps(["p", "q"]))
    (tmp_path / ".hidden.txt").write_text("x")
    return tmp_path


def test_names_are_those_of_files_and_of_lists_in_them(folder: Path) -> None:
    known = Wildcards([folder]).now()
    expected = ("colour", "deep/clothes/cold", "deep/clothes/warm", "deep/er/list", "deep/my Animals")
    assert known.names == expected
    assert known.problems == []


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("colour", ("red", "blue", "{dark|light} green")),
        ("deep/my animals", ("cat", "dog")),
        ("My Animals", ("cat", "dog")),
        ("deep/clothes/warm", ("coat", "cap", "7")),
        ("clothes/cold", ("hat",)),
        ("list", ("p", "q")),
        ("deep/clothes/*", ("hat", "coat", "cap", "7")),
        ("clothes/*", ("hat", "coat", "cap", "7")),
        ("deep/**", ("hat", "coat", "cap", "7", "p", "q", "cat", "dog")),
        ("**/list", ("p", "q")),
        ("col*", ("red", "blue", "{dark|light} green")),
    ],
)
def test_a_name_or_a_pattern_finds_its_lines(folder: Path, name: str, texts: tuple[str, ...]) -> None:
    values = Wildcards([folder]).now().values(name)
    assert values is not None and values.texts == texts


@pytest.mark.parametrize("name", ["gone", "deep", "../colour", "/colour", "tree/clothes/warm", "[", "x*"])
def test_what_is_not_there_is_not_found(folder: Path, name: str) -> None:
    assert Wildcards([folder / "deep"]).now().values(name) is None


def test_weights_stand_in_trees_alone(folder: Path) -> None:
    (folder / "plain.txt").write_text("2::cap\n")
    known = Wildcards([folder]).now()
    warm, plain, both = (known.values(name) for name in ("clothes/warm", "plain", "clothes/*"))
    assert warm is not None and warm.weights == (1, 2, 1)
    assert plain is not None and plain.texts == ("2::cap",)
    assert both is not None and both.weights == (1, 1, 2, 1)


def test_files_that_change_are_read_again_and_the_first_folder_counts(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "deep"
    (other / "colour.txt").write_text("none")
    now = [0.0]
    wildcards = Wildcards([folder, other], lambda: now[0])
    first = wildcards.now().values("colour")
    (folder / "colour.txt").write_text("violet")
    (folder / "new.txt").write_text("new")
    assert wildcards.now().values("colour") is first
    now[0] = 1.0
    again = wildcards.now()
    changed, new = again.values("colour"), again.values("new")
    assert changed is not None and changed.texts == ("violet",)
    assert new is not None and new.texts == ("new",)


# Ten branches in each of ten branches, ten levels deep, and none has a line.
MANY_BRANCHES = b"b0: &b0 {x: []}\n" + b"".join(
    b"b%d: &b%d {%s}\n" % (level, level, b", ".join(b"k%d: *b%d" % (key, level - 1) for key in range(10)))
    for level in range(1, 11)
)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.yaml", b"a: [b", "holds no wildcards that can be read"),
        ("a.yaml", b"a: &a [*a]", ""),
        ("a.yaml", b"a: !!python/object/apply:os.system [x]", "holds no wildcards"),
        ("a.json", b"{", "holds no wildcards"),
        ("a.json", b"[" * 100_000, "holds no wildcards"),
        ("a.json", b'{"a":' * 20 + b"1" + b"}" * 20, "nested more than 12 levels deep"),
        ("a.yaml", b"x" * (5 << 20), "is larger than 4,194,304 bytes"),
        ("a.yaml", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", ""),
        ("a.yaml", MANY_BRANCHES, "more than 200,000 branches"),
    ],
)
def test_a_broken_file_is_told_of_and_the_others_are_read(folder: Path, name: str, data: bytes, words: str) -> None:
    (folder / name).write_bytes(data)
    known = Wildcards([folder]).now()
    assert known.values("colour") is not None
    assert [problem.startswith(str(folder / name)) and words in problem for problem in known.problems] == [True] * bool(
        words
    )


def test_folders_in_which_nothing_came_or_went_are_not_listed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, entries, now = list[str](), wildcards_module._entries, [0.0]
    monkeypatch.setattr(wildcards_module, "_entries", lambda one: listed.append(one.name) or entries(one))
    wildcards = Wildcards([folder, folder / "gone"], lambda: now[0])
    for deep in (folder, folder / "deep", folder / "deep" / "er"):
        os.utime(deep, (1_000_000, 1_000_000))

    def known(name: str) -> tuple[str, ...] | None:
        listed.clear()
        now[0] += 1
        values = wildcards.now().values(name)
        return None if values is None else values.texts

    assert known("list") == ("p", "q") and len(listed) == 4
    (folder / "deep" / "er" / "list.json").write_text('["r"]')
    assert known("list") == ("r",) and listed == [], "files are read again, though no folder is listed"
    (folder / "deep" / "er" / "new.txt").write_text("new")
    assert known("new") == ("new",) and len(listed) == 4
    assert known("new") == ("new",) and len(listed) == 4, "what has just changed may change again"
    (folder / "gone").mkdir()
    (folder / "gone" / "here.txt").write_text("here")
    assert known("here") == ("here",)


def test_a_prompt_of_many_wildcards_costs_no_walk_over_all_names_for_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Wildcards([folder]).now()
    monkeypatch.setattr(KnownWildcards, "_matching", lambda *_given: pytest.fail("it walks over all names"))
    assert known.values("gone") is known.values("er/gone") is known.values("er/colour") is None
    assert known.values("er/list") is not None
    looked_up: list[str] = []

    class Counting:
        def values(self, name: str) -> None:
            looked_up.append(name)

    told = describe_missing(" ".join(f"__a{number}*__" for number in range(500)), Counting())
    assert told is not None and len(looked_up) == 100


def test_what_is_known_of_files_is_changed_by_one_thread_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wildcards = Wildcards([folder])
    known, read, others = wildcards.now(), read_wildcards, list[bool]()

    def reading(path: Path) -> object:
        with ThreadPoolExecutor(1) as other:
            others.append(other.submit(wildcards._lock.acquire, blocking=False).result())
        return read(path)

    monkeypatch.setattr(wildcards_module, "read_wildcards", reading)
    assert known.values("colour") is not None and others == [False]


def test_a_folder_that_leads_back_to_itself_is_read_once(folder: Path) -> None:
    (folder / "deep" / "back").symlink_to(folder)
    assert len(Wildcards([folder]).now().names) == 5


FOLDERS = (
    "wildcards", "models/wildcards", "extensions/sd-dynamic-prompts/wildcards", "custom_nodes/x/wildcards",
)  # fmt: skip


def test_programs_whose_models_are_used_lend_their_wildcards(tmp_path: Path) -> None:
    for name in FOLDERS:
        (tmp_path / name).mkdir(parents=True)
    found = [str(folder.relative_to(tmp_path)) for folder in wildcards_beside([tmp_path / "models"])]
    assert sorted(found) == sorted(FOLDERS)


def test_what_stays_as_it_is_written_is_told(folder: Path) -> None:
    (folder / "self.txt").write_text("__self__")
    known = Wildcards([folder]).now()
    assert describe_missing("a __colour__ {b|__clothes/*__}", known) is None
    assert describe_left(["a red cat"], known) is None
    missing = "There is no wildcard __gone__: it stays as text. Wildcards are files in the folder data/wildcards."
    assert describe_missing("${v={b|__gone__}} __x${v}__", known) == missing
    assert describe_left(["a __gone__", "b __gone__"], known) == missing
    told = describe_left(["__self__ __gone__"], known)
    assert told is not None and told.startswith(missing) and "__self__" in told and "lead to themselves" in told
