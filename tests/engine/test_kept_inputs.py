"""The engine keeps the pictures that jobs start from as long as a job names them, and a day after their last use."""

import os
import time

from modules.engine.housekeeping import Housekeeping
from modules.jobs.kinds.starts import Input
from tests.engine.conftest import Engine
from tests.jobs.inputs.test_inputs import red

A_DAY_AND_A_BIT = 86_400.0 + 60


def test_what_no_job_names_goes_after_a_day(engine: Engine) -> None:
    inputs, store = engine.parts.inputs, engine.store
    asked, resolved, forgotten, unused, new = (inputs.take_in(red((side, 2))) for side in range(1, 6))
    store.queue.submit("img2img", {"init_images": [asked.name]}, "me", id="asked")
    store.queue.submit("img2img", {}, "me", id="resolved")
    with store.database.write() as transaction:
        transaction.execute("UPDATE jobs SET resolved = ? WHERE id = 'resolved'", (f'{{"at": "{resolved.name}"}}',))
    store.queue.submit("img2img", {"mask": forgotten.name}, "me", id="forgotten")

    def look(*, old: tuple[Input, ...]) -> set[str]:
        for one in old:
            then = time.time() - A_DAY_AND_A_BIT
            os.utime(inputs.path_of(one.name), (then, then))
        Housekeeping(engine.parts, engine.worker).look()
        return {path.name for path in inputs.folder.iterdir()}

    left = look(old=(asked, resolved, forgotten, unused))
    assert left == {asked.name, resolved.name, forgotten.name, new.name}
    store.queue.remove("forgotten")
    assert look(old=(asked, forgotten)) == {asked.name, resolved.name, new.name}
