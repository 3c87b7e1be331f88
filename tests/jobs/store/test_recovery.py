"""Whose jobs are settled when an engine has died: those of dead engines, and no others."""

from modules.jobs.store.job_store import JobStore
from tests.jobs.store.test_job_store import DIED, get, submit


def test_the_death_of_one_engine_leaves_the_job_of_another_alone(store: JobStore) -> None:
    submit(store, "a")
    submit(store, "b")
    submit(store, "c")
    for claims_as in ("1/x", "2/y", "10/z"):
        store.claims.claim(claims_as)
    assert [job.id for job in store.claims.recover(DIED, living={"2", "10"})] == ["a"]
    assert [(job.status, job.deaths, job.engine) for job in (get(store, id) for id in "abc")] == [
        ("queued", 1, None),
        ("running", 0, "2/y"),
        ("running", 0, "10/z"),
    ]
    claimed = store.claims.claim("1/next")
    assert claimed is not None and claimed.id == "a"
    assert [job.id for job in store.claims.recover(DIED, living={"1", "2"})] == ["c"]
    assert [(job.status, job.deaths) for job in (get(store, id) for id in "abc")] == [
        ("running", 1),
        ("running", 0),
        ("queued", 1),
    ]


def test_a_first_start_settles_what_unnamed_engines_of_older_versions_left(store: JobStore) -> None:
    """They wrote down their process alone, and the oldest nothing."""
    submit(store, "a")
    submit(store, "b")
    store.claims.claim("5e8a77c01f2b9d34")
    store.claims.claim("5e8a77c01f2b9d34")
    with store.database.write() as transaction:
        transaction.execute("UPDATE jobs SET engine = NULL WHERE id = 'b'")
    recovered = store.claims.recover(None, living={"2"})
    assert [(job.id, job.status, job.deaths) for job in recovered] == [("a", "queued", 0), ("b", "queued", 0)]
    assert store.jobs.queued_ids() == ["a", "b"]
