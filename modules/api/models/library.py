"""What people do to the models that are there: look, write notes, rename, delete, bring back. Call in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modules.api.answers import Refused
from modules.api.models.entries import Entries, Entry
from modules.api.models.in_use import check_free
from modules.api.models.listing import Listing, Query, list_models
from modules.api.models.network_cards import Inserting
from modules.api.models.pictures import OWN_PICTURE, card_picture, small_picture
from modules.api.models.renaming import check_name, rename
from modules.api.models.sidecars import LARGEST_WEIGHT, picture_of, write_texts
from modules.api.models.trash import Deleted, bring_back, destroy, find_deleted, place_of, throw_away, thrown_away
from modules.errors import InvalidRequest
from modules.jobs.lenient import show
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import write_atomically

_TEXTS = {
    "notes": "notes", "activation_text": "activation text", "description": "description",
    "negative_text": "negative text", "sd_version": "sd version",
}  # fmt: skip
_LONGEST_TEXT = 20_000
_WEIGHT = "suggested_weight"


class Library:
    """The models of several models folders. What moves files is done by one at a time."""

    def __init__(self, catalogue: CheckpointCatalogue, store: JobStore, options: Options) -> None:
        self._catalogue, self._store, self._options = catalogue, store, options
        self._entries = Entries(catalogue)
        self._moving = threading.Lock()
        self._listed: tuple[Mapping[str, Entry], Listing] | None = None

    def page(self, query: Query, *, with_paths: bool) -> dict[str, Any]:
        """Return a page of the models.

        Raises:
            InvalidRequest: a value is not possible.
        """
        checkpoint = self._catalogue.known(query.fits) if query.fits else None
        if query.fits and checkpoint is None:
            raise InvalidRequest(f"Checkpoint {query.fits!r} is not known: GET /sdapi/v1/sd-models lists them.", "fits")
        inserting = Inserting.of(self._options.values)
        return list_models(self._listing(), query, with_paths=with_paths, checkpoint=checkpoint, inserting=inserting)

    def has_checkpoint(self, name: str) -> bool:
        """Tell whether there is a checkpoint of this name."""
        return bool(name) and self._catalogue.known(name) is not None

    def picture(self, model_id: str) -> bytes:
        """Return the picture of a model as a small WebP.

        Raises:
            Refused: 404, there is none.
        """
        entry = self._entries.find(model_id)
        path = picture_of(entry.path, entry.stem)
        if path is None:
            raise Refused(404, f"{entry.name} has no picture: put one beside it, such as {entry.stem}.preview.png.")
        return small_picture(path)

    def note(self, model_id: str, sent: dict[str, Any], by: Actor) -> None:
        """Write what people say of a model into its side-car.

        Raises:
            InvalidRequest: a text is none, or too long.
            Refused: 404, 409.
            StorageError: it cannot be written.
        """
        changes = _changes_in(sent)
        if not changes:
            raise InvalidRequest(f"Nothing is to be written: send some of {', '.join((*_TEXTS, _WEIGHT))}.")
        entry = self._entries.find(model_id)
        write_texts(entry.path, entry.stem, changes)
        self._store.audit.note("model-notes", by, {"model": entry.name})

    def take_picture(self, model_id: str, picture: Path, by: Actor) -> None:
        """Make a picture of a job the one on a model's card, in the place of one that was made so before.

        Raises:
            Refused: 404, there is no such model, or the picture cannot be read.
            StorageError: it cannot be written.
        """
        entry = self._entries.find(model_id)
        write_atomically(entry.path.with_name(entry.stem + OWN_PICTURE), card_picture(picture), as_open_as_folder=True)
        self._store.audit.note("model-picture", by, {"model": entry.name})

    def rename(self, model_id: str, name: object, by: Actor) -> str:
        """Rename a model with its side-cars; return its new name in the lists. The setting that names it goes along.

        Raises:
            InvalidRequest: no file can be called so.
            Refused: 404, or 409: a job draws with it, or something has the name.
            StorageError: the system does not let it.
        """
        with self._moving:
            entry = self._free(model_id, "renamed")
            before = entry.path
            target = rename(entry, check_name(name, entry))
            self._catalogue.refresh()
            found = next((one for one in self._entries.all() if one.path == target), None)
            new = found.name if found is not None else target.name
            if self._options.values.sd_model_checkpoint in entry.names:
                self._options.update({"sd_model_checkpoint": new})
                self._store.audit.note_settings(["sd_model_checkpoint"], by=by)
            self._store.audit.note("model-rename", by, {"model": entry.name, "from": before.name, "to": target.name})
            return new

    def delete(self, model_id: str, by: Actor) -> Deleted:
        """Move a model with its side-cars into the trash.

        Raises:
            Refused: 404, or 409: a job draws with it.
            StorageError: the system does not let it.
        """
        with self._moving:
            entry = self._free(model_id, "deleted")
            deleted = throw_away(entry, place_of(entry.path, self._folders_of_kinds()))
            self._catalogue.refresh()
            self._store.audit.note("model-delete", by, {"model": entry.name})
            return deleted

    def trash(self) -> list[dict[str, Any]]:
        """Return what is in the trash, what was deleted last first."""
        found = [deleted for deleted, _ in thrown_away(self._places())]
        found.sort(key=lambda one: one.deleted_at, reverse=True)
        return [{name: value for name, value in asdict(one).items() if name != "files"} for one in found]

    def restore(self, deleted_id: str, by: Actor) -> str:
        """Bring a model back from the trash and return its name.

        Raises:
            Refused: 404, or 409: something has its name now.
            StorageError: the system does not let it.
        """
        with self._moving:
            deleted, folder = find_deleted(self._places(), deleted_id)
            bring_back(deleted, folder)
            self._catalogue.refresh()
            self._store.audit.note("model-restore", by, {"model": deleted.name})
            return deleted.name

    def destroy(self, deleted_id: str, by: Actor) -> int:
        """Delete for good what was deleted under this id; return how many models that was.

        Raises:
            Refused: 404, the trash has no such thing.
            StorageError: the system does not let it.
        """
        with self._moving:
            deleted, folder = find_deleted(self._places(), deleted_id)
            destroy(folder)
            self._store.audit.note("model-destroy", by, {"model": deleted.name})
            return 1

    def empty_trash(self, by: Actor) -> int:
        """Delete for good all that is in the trash; return how many models that was.

        Raises:
            StorageError: the system does not let it.
        """
        with self._moving:
            found = list(thrown_away(self._places()))
            for _, folder in found:
                destroy(folder)
            if found:
                self._store.audit.note("model-destroy", by, {"models": [deleted.name for deleted, _ in found]})
            return len(found)

    def _listing(self) -> Listing:
        known, listed = self._entries.by_id(), self._listed
        if listed is None or listed[0] is not known:
            listed = self._listed = (known, Listing(known.values()))
        return listed[1]

    def _free(self, model_id: str, deed: str) -> Entry:
        """Return a model that no unfinished job draws with.

        Raises:
            Refused: 404, or 409.
        """
        entry = self._entries.find(model_id)
        self._options.refresh()
        check_free(self._store, self._options.values, entry, deed)
        return entry

    def _folders_of_kinds(self) -> list[Path]:
        return [place.folder for place in self._catalogue.places.now()]

    def _places(self) -> Iterator[Path]:
        """Yield the folders that may have a trash."""
        yield from self._folders_of_kinds()
        for entry in self._entries.all():
            yield entry.path.parent


def _changes_in(sent: Mapping[str, Any]) -> dict[str, str | float]:
    """Return what is to be written, under A1111's names.

    Raises:
        InvalidRequest: a text is none, or too long; a weight is no number, or too large.
    """
    changes: dict[str, str | float] = {}
    for name, key in _TEXTS.items():
        if name not in sent:
            continue
        text = sent[name]
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise InvalidRequest(f"{name} is no text of at most {_LONGEST_TEXT:,} characters.", name)
        changes[key] = text
    if _WEIGHT in sent:
        weight = sent[_WEIGHT] or 0
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= LARGEST_WEIGHT:
            message = (
                f"{_WEIGHT} {show(weight)} is not possible: use -{LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}, 0 is none."
            )
            raise InvalidRequest(message, _WEIGHT)
        changes["preferred weight"] = weight
    return changes
