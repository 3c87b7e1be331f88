"""The rows of pictures: a name and a number are given first, the file is written, then the row is completed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from modules.errors import UnknownJob
from modules.images.naming import file_name
from modules.jobs.answers import output_answer
from modules.jobs.rows import Image
from modules.jobs.store.database import Transaction, batched

_COLUMNS = "job_id, image_index, name, seed, width, height, infotext, partial, status, completed_at"


def image_of(row: sqlite3.Row) -> Image:
    """Return the typed row."""
    values: dict[str, Any] = dict(row)
    return Image(index=values.pop("image_index"), **(values | {"partial": bool(values["partial"])}))


def find_image(connection: sqlite3.Connection | Transaction, job_id: str, index: int) -> Image | None:
    """Return the picture, whatever its status."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM images WHERE job_id = ? AND image_index = ?", (job_id, index)
    ).fetchone()
    return image_of(row) if row else None


def complete_images(connection: sqlite3.Connection, job_id: str) -> list[Image]:
    """Return the complete pictures of a job in order."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM images WHERE job_id = ? AND status = 'complete' ORDER BY image_index", (job_id,)
    )
    return [image_of(row) for row in rows]


def complete_images_of(connection: sqlite3.Connection, job_ids: Sequence[str]) -> dict[str, list[Image]]:
    """Return the complete pictures of these jobs in order; jobs without any are left out."""
    found: dict[str, list[Image]] = {}
    for some in batched(job_ids):
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM images WHERE job_id IN ({', '.join('?' * len(some))}) AND status = 'complete'"
            " ORDER BY job_id, image_index",
            some,
        )
        for row in rows:
            found.setdefault(row["job_id"], []).append(image_of(row))
    return found


def reserve(transaction: Transaction, image: Image, folder: PurePosixPath, highest_on_disk: int | None) -> Image:
    """Give the picture a name with a number that its folder never had; a picture that has one keeps it.

    `image.name` is ignored. `highest_on_disk` counts too, since files may be there that no row knows; None: the folder
    is the job's own, and the number is the picture's place in it.

    Raises:
        UnknownJob: the job is gone.
    """
    known = find_image(transaction, image.job_id, image.index)
    if known is not None:
        return known
    if transaction.execute("SELECT 1 FROM jobs WHERE id = ?", (image.job_id,)).fetchone() is None:
        raise UnknownJob(image.job_id)
    number = image.index if highest_on_disk is None else _next_number(transaction, folder, highest_on_disk)
    name = str(folder / file_name(number, image.seed))
    # A deleted job with this id may have left a file of this name that was to go.
    transaction.execute("DELETE FROM removed_files WHERE name = ?", (name,))
    transaction.execute(
        "INSERT INTO images (job_id, image_index, name, seed, width, height, status)"
        " VALUES (?, ?, ?, ?, ?, ?, 'reserved')",
        (image.job_id, image.index, name, image.seed, image.width, image.height),
    )
    reserved = find_image(transaction, image.job_id, image.index)
    assert reserved is not None
    return reserved


def _next_number(transaction: Transaction, folder: PurePosixPath, highest_on_disk: int) -> int:
    """Return a number that the folder never had, also when rows and files of higher ones are gone."""
    transaction.execute(
        "INSERT INTO image_folders (folder, highest) VALUES (:folder, :first)"
        " ON CONFLICT (folder) DO UPDATE SET highest = max(highest + 1, :first)",
        {"folder": str(folder), "first": highest_on_disk + 1},
    )
    row = transaction.execute("SELECT highest FROM image_folders WHERE folder = ?", (str(folder),)).fetchone()
    return int(row["highest"])


def complete(transaction: Transaction, job_id: str, index: int, infotext: str, partial: bool) -> Image:
    """Complete a reserved picture and append the event. A complete one stays as it is.

    Raises:
        UnknownJob: the picture was never reserved, or its job is gone.
    """
    changed = transaction.execute(
        "UPDATE images SET infotext = ?, partial = ?, status = 'complete', completed_at = ?"
        " WHERE job_id = ? AND image_index = ? AND status = 'reserved'",
        (infotext, partial, transaction.now(), job_id, index),
    ).rowcount
    image = find_image(transaction, job_id, index)
    if image is None:
        raise UnknownJob(job_id)
    if changed:
        transaction.append("image", job_id, output_answer(image))
    return image


def bring_back_partial(transaction: Transaction, job_id: str) -> None:
    """Complete partial pictures again that were to be drawn anew and were not: their files are still there."""
    transaction.execute(
        "UPDATE images SET status = 'complete', completed_at = ? WHERE job_id = ? AND partial AND status = 'reserved'",
        (transaction.now(), job_id),
    )


def results_finished_before(connection: sqlite3.Connection, moment: float) -> list[Image]:
    """Return the complete pictures under `results/` whose jobs ended before `moment`, in seconds since the epoch."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM images WHERE status = 'complete' AND name LIKE 'results/%'"
        " AND job_id IN (SELECT id FROM jobs WHERE finished_at < ?) ORDER BY job_id, image_index",
        (moment,),
    )
    return [image_of(row) for row in rows]


def reserved_by_finished(connection: sqlite3.Connection) -> list[str]:
    """Return the names of pictures that were reserved and never completed, of jobs that have ended."""
    rows = connection.execute(
        "SELECT name FROM images WHERE status = 'reserved' AND job_id IN (SELECT id FROM jobs WHERE status IN"
        " ('done', 'interrupted', 'failed', 'quarantined'))"
    )
    return [row["name"] for row in rows]


def jobs_with_results(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the ids of the jobs that own, or will own, a folder under `results/`."""
    rows = connection.execute("SELECT DISTINCT job_id FROM images WHERE status != 'expired' AND name LIKE 'results/%'")
    return frozenset(row["job_id"] for row in rows)


def mark_expired(transaction: Transaction, image: Image) -> None:
    """Say that the picture's file is gone."""
    transaction.execute(
        "UPDATE images SET status = 'expired' WHERE job_id = ? AND image_index = ?", (image.job_id, image.index)
    )
