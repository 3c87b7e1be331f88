"""What is written without a model: settings that are changed, times that are learned, the queue as people use it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules.engine.progress.timings import Experience, Timings
from modules.errors import StorageError
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from modules.paths import DataFolder
from tests.faults.disk import TIMES_FULL, Disk, Fault

SOMEBODY = Actor("owner", "127.0.0.1")


class Diary:
    """What a process was told to be done, in a file outside the disk that fails."""

    def __init__(self, root: Path) -> None:
        self._path = root.parent / f"{root.name}.diary"

    def note(self, what: Any) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def read(self) -> list[Any]:
        return [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []


class SettingsChange:
    """Settings are changed, three times."""

    CHANGES: tuple[dict[str, object], ...] = (
        {"samples_save": False},
        {"results_kept_hours": 7},
        {"samples_save": True, "theme": "dark"},
    )

    def warm(self, folder: Path) -> None:
        """Nothing is slow here."""

    def prepare(self, root: Path) -> None:
        Options(root / "settings.json").update({"theme": "light"})

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        options = Options(root / "settings.json")
        diary = Diary(root)
        for number, change in enumerate(self.CHANGES):
            diary.note(["tried", number])
            try:
                options.update(change)
            except StorageError as error:
                diary.note(["refused", number, str(error)])
            else:
                diary.note(["done", number])

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        told = Diary(root).read()
        states: list[dict[str, Any]] = [{"theme": "light"}]
        for kind, number, *_ in told:
            if kind == "tried":
                states = [*states, *(state | self.CHANGES[number] for state in states)]
            elif kind == "done":
                states = states[len(states) // 2 :]
            # "refused": the old file is there, or the new one whose renaming could not be made to last.
        options = Options(root / "settings.json")
        problems = list(options.notices)
        now = {name: getattr(options.values, name) for name in ("theme", "samples_save", "results_kept_hours")}
        usual = {"samples_save": True, "results_kept_hours": 24}
        if now not in [usual | state for state in states]:
            problems.append(f"the settings are {now}; possible were {states}")
        problems += [f"told as {one[2]!r}" for one in told if one[0] == "refused" and "No space left" not in one[2]]
        options.update({"theme": "auto"})
        left = [path.name for path in root.iterdir() if path.name.endswith(".tmp")]
        return problems + [f"{name} is left over" for name in left if fault == "full"]

    def outcome(self, root: Path) -> Any:
        return json.loads((root / "settings.json").read_text())


class Learning:
    """An engine keeps how long the phases of its jobs took, three times: no fault may do more than cost that."""

    LEARNED = (1.0, 2.0, 3.0)
    MEDIANS = (1.0, 1.5, 2.0)

    def warm(self, folder: Path) -> None:
        """Nothing is slow here."""

    def prepare(self, root: Path) -> None:
        self._learn(Timings(root / "timings.json"), self.LEARNED[0])

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        timings = Timings(root / "timings.json")
        for seconds in self.LEARNED[1:]:
            self._learn(timings, seconds)
        for _ in range(TIMES_FULL):
            timings.save()  # as the housekeeping does, again and again

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        files = [path.name for path in root.iterdir() if "corrupt" in path.name]
        known = self.outcome(root)
        allowed = [wanted] if fault == "full" else self.MEDIANS
        return [*files, *([] if known in allowed else [f"{known} is known instead of {wanted}"])]

    def outcome(self, root: Path) -> Any:
        return self._under(Timings(root / "timings.json")).seconds("load")

    def _learn(self, timings: Timings, seconds: float) -> None:
        self._under(timings).learn("load", seconds)
        timings.save()

    def _under(self, timings: Timings) -> Experience:
        return timings.under("model", "float32", "CPU", 2)


class QueueUse:
    """People use the queue: each answer that they got is true after the fault, and what failed did nothing.

    But a stop may be taken back by the power, as long as nothing came after it that waits for the disk.
    """

    STOPS = (1, 3)

    def warm(self, folder: Path) -> None:
        """Nothing is slow here."""

    def prepare(self, root: Path) -> None:
        store = JobStore(root / "jobs.sqlite", DataFolder(root))
        for name in "abcdef":
            store.queue.submit("txt2img", {"prompt": name}, f"owner-{ord(name) % 2}", id=name)
        store.claims.claim("engine")
        store.close()

    def act(self, root: Path, disk: Disk) -> None:
        disk.install()
        try:
            store = JobStore(root / "jobs.sqlite", DataFolder(root))
        except StorageError:
            return  # a server that cannot open its database ends, and the launcher starts it again
        diary = Diary(root)
        diary.note(state_of(store) | {"lasts": True})
        for number, deed in enumerate(self.deeds(store)):
            diary.note(f"begins {number}")
            try:
                deed()
            except StorageError as error:
                diary.note({"refused": str(error)})
            diary.note(state_of(store) | {"lasts": number not in self.STOPS})

    def deeds(self, store: JobStore) -> list[Callable[[], Any]]:
        """Return what people do, one transaction each."""
        by = SOMEBODY
        return [
            lambda: store.queue.submit("txt2img", {"prompt": "g"}, "owner-0", id="g", by=by),
            lambda: store.control.ask("skip", "a", by=by),
            lambda: store.control.ask("pause", "b", by=by),
            lambda: store.control.ask("interrupt", "c", by=by),
            lambda: store.queue.move("e", "front", by=by),
            lambda: store.queue.prioritise("d", 5, by=by),
            lambda: store.queue.pause(by=by),
            lambda: store.control.resume("b", by=by),
            lambda: store.queue.retry("c", by=by),
            lambda: store.queue.remove("f", by=by),
            lambda: store.queue.resume(by=by),
            lambda: store.control.set_forever("a", True, by=by),
            lambda: store.claims.finish("a", "done"),
            lambda: store.deletion.delete("a", by=by),
            lambda: store.queue.interrupt_waiting("owner-1", by=by),
        ]

    def recover(self, root: Path, fault: Fault, wanted: Any) -> list[str]:
        """Compare with the last state that was told; the deed amid which the power went may be done or not."""
        lines = Diary(root).read()
        problems = [f"told as {line['refused']!r}" for line in lines if isinstance(line, dict) and "refused" in line
                    and "No space left" not in line["refused"]]  # fmt: skip
        told = [line for line in lines if isinstance(line, dict) and "refused" not in line]
        lasts = [line.pop("lasts") for line in told]
        refusals = [index for index, line in enumerate(lines) if isinstance(line, dict) and "refused" in line]
        problems += ["a refused deed left a trace" for index in refusals if lines[index + 1] != lines[index - 2]]
        store = JobStore(root / "jobs.sqlite", DataFolder(root))
        problems += store.database.notices
        now = state_of(store)
        since = max((at for at, last in enumerate(lasts) if last or fault != "power"), default=0)
        if told and now not in told[since:]:
            if not isinstance(lines[-1], str):
                problems.append(f"{now} is there, {told[-1]} was told")
            elif now["last_event"] <= told[-1]["last_event"]:
                problems.append("the deed that was cut changed rows without an event, or took some back")
        numbers = [event.number for event in store.events.after(0)]
        if numbers != list(range(1, len(numbers) + 1)):
            problems.append(f"event numbers have gaps: {numbers}")
        store.close()
        return problems

    def outcome(self, root: Path) -> Any:
        return None


def state_of(store: JobStore) -> dict[str, Any]:
    """Return what the database says, in a form that can be compared."""
    return {
        "jobs": {
            job.id: [job.status, job.requested, job.priority, job.forever] for job in store.jobs.page(limit=100)[0]
        },
        "order": store.jobs.queued_ids(),
        "paused": store.jobs.queue_paused(),
        "last_event": store.events.last(),
        "audit": len(store.audit.rows(limit=100)),
    }
