"""An engine that begins a job and publishes what it was told of its predecessor. FAKE_ENGINE names its behaviour."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping

from modules.link import Link
from modules.link.topics import STATUS
from modules.shared_state import State
from tests.launcher.fake_server import behaviour


def main(how: str, more: Mapping[str, str] | None = None) -> None:
    """Run until the end; `more` is published with the rest."""
    if how == "crash":
        print("before\rCUDA driver not found", flush=True)
        sys.exit(7)
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    state = State(os.environ["STEADY_ENGINE"])
    link = Link.from_environment(state, "engine")
    assert link is not None
    link.on_closed(lambda: os._exit(0))
    link.start()
    link.signal("recovered")
    state.begin("job")
    state.assign_current_image(None, ("image/png", b"picture"))
    death = json.loads(os.environ.get("STEADY_LAST_DEATH", "null"))
    about = {"pid": os.getpid(), "last_death": death, "preview": state.id_live_preview}
    about["others"] = os.environ["STEADY_OTHER_ENGINES"]
    link.publish_own(STATUS, about | dict(more or {}))
    print("the engine is there", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(behaviour("FAKE_ENGINE"))
