"""The pictures of jobs: named before their files are written, complete after."""

from __future__ import annotations

from pathlib import PurePosixPath

from modules.errors import UnknownJob
from modules.images.naming import highest_number, result_folder, saved_folder
from modules.images.results import remove_orphans, remove_result
from modules.images.save import remove_unfinished
from modules.jobs.rows import Image
from modules.jobs.store import images as store_images
from modules.jobs.store.base import StoreBase
from modules.jobs.store.statements import find_job, known_job
from modules.paths import temporary_beside


class Pictures(StoreBase):
    """The methods of the job store for pictures."""

    def reserve_image(self, id: str, index: int, seed: int, width: int, height: int, save: bool) -> Image:
        """Give a picture its name and number before its file is written. One that has them keeps them.

        `save` decides between `outputs/` and `results/`. A picture that comes back complete needs no drawing.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.read() as connection:
            job = find_job(connection, id)
        if job is None:
            raise UnknownJob(id)
        folder = saved_folder(job.kind, job.created_at) if save else result_folder(id)
        highest_on_disk = highest_number(self._folder.root / folder) if save else None
        image = Image(id, index, "", seed, width, height, "", False, "reserved", None)
        with self._database.write() as transaction:
            return store_images.reserve(transaction, image, folder, highest_on_disk)

    def complete_image(self, id: str, index: int, infotext: str, partial: bool = False) -> Image:
        """Say that a reserved picture's file is on disk. Everyone who watches is told.

        Raises:
            UnknownJob: the picture was never reserved.
        """
        with self._database.write() as transaction:
            return store_images.complete(transaction, id, index, infotext, partial)

    def images(self, id: str) -> list[Image]:
        """Return the complete pictures of a job in order."""
        with self._database.read() as connection:
            return store_images.complete_images(connection, id)

    def image(self, id: str, index: int) -> Image | None:
        """Return one picture of a job, complete or not."""
        with self._database.read() as connection:
            return store_images.find_image(connection, id, index)

    def expire_results(self, hours: float) -> int:
        """Remove the pictures under `results/` of jobs that ended more than `hours` ago; return how many there were."""
        before = self._clock() - hours * 3600
        with self._database.read() as connection:
            expired = store_images.results_finished_before(connection, before)
            known_jobs = store_images.jobs_with_results(connection)
        for image in expired:
            remove_result(self._folder.root / PurePosixPath(image.name))
        remove_orphans(self._folder.results, known_jobs, before)
        if expired:
            with self._database.write() as transaction:
                for image in expired:
                    store_images.mark_expired(transaction, image)
                for job_id in dict.fromkeys(image.job_id for image in expired):
                    transaction.append("job", job_id, {"status": known_job(transaction, job_id).status})
        return len(expired)

    def remove_unfinished(self) -> int:
        """Remove what killed engines left of pictures whose jobs have ended since, and return how many those were.

        For the engine, while it draws nothing. A job that goes on writes over what is left of its own.
        """
        with self._database.read() as connection:
            names = store_images.reserved_by_finished(connection)
        left = [name for name in names if temporary_beside(self._folder.root / PurePosixPath(name)).exists()]
        if left:
            # Looking at many files takes a while, in which a job may have been retried and be about to write its own.
            with self._database.read() as connection:
                still = frozenset(store_images.reserved_by_finished(connection))
            left = [name for name in left if name in still]
        for name in left:
            remove_unfinished(self._folder.root / PurePosixPath(name))
        return len(left)
