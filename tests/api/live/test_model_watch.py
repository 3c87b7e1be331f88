"""Who watches is told when a model comes, changes or goes; nobody looks while nobody does."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.api.live.model_watch import ModelWatch
from modules.jobs.models.catalogue import CheckpointCatalogue
from tests.jobs.made_models import make_model


class Watching:
    """A watch over a models folder, and what it told."""

    def __init__(self, root: Path) -> None:
        self.watched = self.idle = True
        self.tokens: list[str] = []
        self.told = threading.Event()
        self.catalogue = CheckpointCatalogue([root])
        self.watch = ModelWatch(self.catalogue, self.tell, lambda: self.watched, lambda: self.idle, look_seconds=0.01)

    def tell(self, token: str) -> None:
        self.tokens.append(token)
        self.told.set()

    def after(self, deed: Callable[[], object]) -> list[str]:
        """Return the names that are known after the news of a deed."""
        self.told.clear()
        deed()
        assert self.told.wait(30)
        return [one.name for one in self.catalogue.list()]


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    make_model(tmp_path / "Stable-diffusion" / "first")
    made = Watching(tmp_path)
    made.catalogue.list()
    made.watch.start()
    yield made
    made.watch.stop()


def test_models_that_come_change_and_go_are_told_of(watching: Watching, tmp_path: Path) -> None:
    place = tmp_path / "Stable-diffusion"
    assert len(watching.tokens) == 1  # that of the beginning
    (tmp_path / "new").mkdir()
    make_model(tmp_path / "new" / "second")
    assert watching.after(lambda: (tmp_path / "new" / "second").rename(place / "second")) == ["first", "second"]
    assert watching.after(lambda: (place / "second" / "vae" / "config.json").write_text("{")) == ["first", "second"]
    assert watching.catalogue.find("second").problem is not None
    assert watching.after(lambda: shutil.rmtree(place / "first"))[-1] == "second"
    assert len(set(watching.tokens)) == len(watching.tokens)


def test_nobody_looks_while_nobody_watches(watching: Watching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watching.watched = False
    looks: list[str] = []
    monkeypatch.setattr(watching.catalogue, "refresh", lambda: looks.append("look"))
    watching.watch._look()
    assert looks == []
    watching.watched = True
    watching.watch._next_look = 0.0
    watching.watch._look()
    assert "look" in looks


def test_what_cannot_be_looked_at_ends_no_watch(
    watching: Watching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.api.live.model_watch._LONGEST_PAUSE_SECONDS", 0.01)
    refresh, failed = watching.catalogue.refresh, threading.Event()

    def fail() -> None:
        monkeypatch.setattr(watching.catalogue, "refresh", refresh)
        failed.set()
        raise OSError("the disk is gone")

    monkeypatch.setattr(watching.catalogue, "refresh", fail)
    assert failed.wait(30)
    assert "later" in watching.after(lambda: make_model(tmp_path / "Stable-diffusion" / "later"))


def test_what_has_no_hash_is_hashed_while_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.jobs.models.catalogue._HASH_AT_ONCE_BYTES", 0)
    monkeypatch.setattr("modules.api.live.model_watch._LONGEST_PAUSE_SECONDS", 0.01)
    place = tmp_path / "Stable-diffusion"
    for name in ("dream", "half of a copy"):
        make_model(place / name)
    os.utime(place / "dream", (1, 1))
    watching = Watching(tmp_path)
    watching.idle = False
    dream, young = watching.catalogue.list()
    watching.watch.start()
    watching.watch._hash_next(set())
    assert watching.catalogue.list() == (dream, young)
    watching.told.clear()
    watching.idle = True
    assert watching.told.wait(30)
    watching.watch.stop()
    found = watching.catalogue.find("dream")
    assert found.sha256 == CheckpointCatalogue([tmp_path]).hashed(dream).sha256
    assert found.title == f"dream [{found.short_hash}]"
    assert watching.catalogue.find("half of a copy").sha256 is None


def test_hashing_is_dropped_when_a_job_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.jobs.models.catalogue._HASH_AT_ONCE_BYTES", 0)
    os.utime(make_model(tmp_path / "Stable-diffusion" / "dream"), (1, 1))
    models = CheckpointCatalogue([tmp_path])
    asked = iter([True, False, True, True])
    watch = ModelWatch(models, lambda token: None, lambda: True, lambda: next(asked, True))
    failed: set[tuple[str, str]] = set()
    watch._hash_next(failed)
    assert (models.find("dream").sha256, failed) == (None, set())
    assert watch._hash_next(failed)
    assert models.find("dream").sha256 is not None
    assert not watch._hash_next(failed)
