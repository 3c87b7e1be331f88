"""A new server's snapshot equals the hub, whatever happened before and while it joined."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.shared_state import State
from tests.link.conftest import Wiring, eventually

STEPS = st.lists(
    st.sampled_from(["begin", "end", "nextjob", "step", "preview", "text", "progress", "events", "join"]), max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_a_new_servers_snapshot_equals_the_hub(steps: list[str]) -> None:
    wiring = Wiring()
    try:
        engine, engine_link = wiring.started("engine")
        servers: list[State] = []
        for number, step in enumerate(steps):
            if step == "begin":
                engine.begin(f"job {number}")
            elif step == "end":
                engine.end()
            elif step == "nextjob":
                engine.nextjob()
            elif step == "step":
                engine.sampling_step += 1
            elif step == "preview":
                engine.assign_current_image(None, ("image/png", bytes([number])))
            elif step == "text":
                engine.textinfo = f"text {number}"
            elif step == "join":
                servers.append(wiring.started("server")[0])
            else:
                engine_link.publish(step, number)
        engine_link.publish("engine", "all was sent")
        eventually(lambda: wiring.board.topics.get("engine") == "all was sent")
        eventually(lambda: wiring.board.state.preview == engine.preview)
        late, late_link = wiring.started("server")
        hub = wiring.board.state
        assert late.snapshot() == hub.snapshot() == engine.snapshot()
        assert late_link.topics == wiring.board.topics
        eventually(lambda: late.preview == hub.preview)
        eventually(lambda: all(one.snapshot() == hub.snapshot() and one.preview == hub.preview for one in servers))
    finally:
        wiring.close()
