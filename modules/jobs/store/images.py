"""The pictures of jobs: a name and a number are given first, the file is written, then the row is completed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from modules.errors import UnknownJob
from modules.images.naming import FileName, result_folder, saved_folder, usual_stem
from modules.images.results import remove_orphans, remove_result
from modules.images.save import remove_unfinished
from modules.jobs.outputs import output_answer
from modules.jobs.rows import TERMINAL, Image
from modules.jobs.store.database import Database, Reader, Transaction, batched, marks
from modules.paths import DataFolder, temporary_beside

_SELECT = """
    SELECT job_id, image_index, name, seed, width, height, infotext, partial, status, completed_at FROM images
"""


class Images:
    """Give pictures their names, complete them, and remove what is not kept."""

    def __init__(self, database: Database, folder: DataFolder) -> None:
        self._database, self._folder = database, folder

    def path_of(self, image: Image) -> Path:
        """Return where the file of a picture is."""
        return self._folder.root / PurePosixPath(image.name)

    def reserve(
        self, id: str, index: int, seed: int, width: int, height: int, save: bool, named: FileName | None = None
    ) -> Image:
        """Give a picture its name and number before its file is written. One that has them keeps them.

        `save` decides between `outputs/` and `results/`; `named` is the name in `outputs/`, None: as usual. A picture
        that comes back complete needs no drawing.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.read() as connection:
            job = connection.execute("SELECT kind, created_at FROM jobs WHERE id = ?", (id,)).fetchone()
        if job is None:
            raise UnknownJob(id)
        usual = FileName(saved_folder(job["kind"], job["created_at"]), usual_stem(seed))
        if save:
            named = named or usual
        else:
            named = FileName(result_folder(id), usual.stem, usual.suffix if named is None else named.suffix)
        highest_on_disk = named.highest_in(self._folder.root / named.folder) if save else None
        with self._database.write() as transaction:
            known = find_image(transaction, id, index)
            if known is not None:
                return known
            # A folder of results is the job's own, and the number is the picture's place in it.
            number = index if highest_on_disk is None else _next_number(transaction, named.counted, highest_on_disk)
            while highest_on_disk is not None and _is_taken(transaction, named.with_number(number)):
                number = _next_number(transaction, named.counted, number)
            name = named.with_number(number)
            # A deleted job with this id may have left a file of this name that was to go.
            transaction.execute("DELETE FROM removed_files WHERE name = ?", (name,))
            reserved = transaction.execute(
                "INSERT INTO images (job_id, image_index, name, seed, width, height, status)"
                " SELECT id, ?, ?, ?, ?, ?, 'reserved' FROM jobs WHERE id = ?",
                (index, name, seed, width, height, id),
            ).rowcount
            if not reserved:  # it was deleted meanwhile
                raise UnknownJob(id)
            return _known_image(transaction, id, index)

    def complete(self, id: str, index: int, infotext: str, partial: bool = False) -> Image:
        """Say that a reserved picture's file is on disk. Everyone who watches is told. A complete one stays as it is.

        Raises:
            UnknownJob: the picture was never reserved, or its job is gone.
        """
        with self._database.write() as transaction:
            changed = transaction.execute(
                "UPDATE images SET infotext = ?, partial = ?, status = 'complete', completed_at = ?"
                " WHERE job_id = ? AND image_index = ? AND status = 'reserved'",
                (infotext, partial, transaction.now(), id, index),
            ).rowcount
            image = _known_image(transaction, id, index)
            if changed:
                transaction.append("image", id, output_answer(image))
            return image

    def expire_results(self, hours: float) -> int:
        """Remove the pictures under `results/` of jobs that ended more than `hours` ago; return how many there were."""
        before = self._database.clock() - hours * 3600
        with self._database.read() as connection:
            kept = connection.execute(
                "SELECT job_id, name, images.status = 'complete' AND finished_at < ? AS expires"
                " FROM images JOIN jobs ON jobs.id = job_id WHERE images.status != 'expired' AND name LIKE 'results/%'",
                (before,),
            ).fetchall()
        expired = [row for row in kept if row["expires"]]
        for row in expired:
            remove_result(self._folder.root / PurePosixPath(row["name"]))
        remove_orphans(self._folder.results, {row["job_id"] for row in kept}, before)
        if expired:
            with self._database.write() as transaction:
                transaction.execute_many(
                    "UPDATE images SET status = 'expired' WHERE name = ?", [(row["name"],) for row in expired]
                )
                for id in dict.fromkeys(row["job_id"] for row in expired):
                    for job in transaction.execute("SELECT status FROM jobs WHERE id = ?", (id,)).fetchall():
                        transaction.append("job", id, {"status": job["status"]})
        return len(expired)

    def remove_unfinished(self) -> int:
        """Remove what killed engines left of pictures whose jobs have ended since, and return how many those were.

        For the engine, while it draws nothing. A job that goes on writes over what is left of its own.
        """
        paths = {name: self._folder.root / PurePosixPath(name) for name in self._reserved_by_ended()}
        left = [name for name, path in paths.items() if temporary_beside(path).exists()]
        # Looking at many files takes a while, in which a job may have been retried and be about to write its own.
        still = self._reserved_by_ended() if left else frozenset()
        left = [name for name in left if name in still]
        for name in left:
            remove_unfinished(paths[name])
        return len(left)

    def _reserved_by_ended(self) -> frozenset[str]:
        """Return the names of pictures that were reserved and never completed, of jobs that have ended."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name FROM images JOIN jobs ON jobs.id = job_id"
                f" WHERE images.status = 'reserved' AND jobs.status IN {marks(TERMINAL)}",
                tuple(TERMINAL),
            )
            return frozenset(row["name"] for row in rows)


def find_image(reader: Reader, job_id: str, index: int) -> Image | None:
    """Return the picture, whatever its status."""
    row = reader.execute(f"{_SELECT} WHERE job_id = ? AND image_index = ?", (job_id, index)).fetchone()
    return _image_of(row) if row else None


def _known_image(reader: Reader, job_id: str, index: int) -> Image:
    image = find_image(reader, job_id, index)
    if image is None:
        raise UnknownJob(job_id)
    return image


def complete_images(reader: Reader, job_ids: Sequence[str]) -> dict[str, list[Image]]:
    """Return the complete pictures of these jobs in order; jobs without any are left out."""
    found: dict[str, list[Image]] = {}
    for some in batched(job_ids):
        rows = reader.execute(
            f"{_SELECT} WHERE job_id IN {marks(some)} AND status = 'complete' ORDER BY job_id, image_index", some
        )
        for row in rows:
            found.setdefault(row["job_id"], []).append(_image_of(row))
    return found


def _image_of(row: sqlite3.Row) -> Image:
    values: dict[str, Any] = dict(row)
    return Image(index=values.pop("image_index"), **(values | {"partial": bool(values["partial"])}))


def _is_taken(reader: Reader, name: str) -> bool:
    return reader.execute("SELECT 1 FROM images WHERE name = ?", (name,)).fetchone() is not None


def _next_number(transaction: Transaction, counted: str, highest_on_disk: int) -> int:
    """Return a number that the folder, or the name, never had, also when rows and files of higher ones are gone.

    `highest_on_disk` counts too, since files may be there that no row knows.
    """
    row = transaction.execute(
        "INSERT INTO image_folders (folder, highest) VALUES (:folder, :first)"
        " ON CONFLICT (folder) DO UPDATE SET highest = max(highest + 1, :first) RETURNING highest",
        {"folder": counted, "first": highest_on_disk + 1},
    ).fetchone()
    return int(row["highest"])
