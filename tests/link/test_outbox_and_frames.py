import dataclasses
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.link.frames import FrameError, decode, encode
from modules.link.outbox import Message, Outbox, Signal, Update
from modules.shared_state import Preview

PREVIEW = Preview(3, "job", 1, 12, "image/jpeg", b"\xff\xd8\nraw\n\x00bytes")


def test_newer_values_take_the_place_of_older_ones() -> None:
    outbox = Outbox()
    outbox.put_state("1", {"job": "a", "sampling_step": 1})
    outbox.put_topic("progress", 1)
    outbox.put_topic("events", 7)
    outbox.put_state("1", {"sampling_step": 2})
    outbox.put_topic("progress", 2)
    assert outbox.take() == [Update({"1": {"job": "a", "sampling_step": 2}}, {"events": 7, "progress": 2})]


def test_signals_keep_their_place_and_are_never_merged() -> None:
    outbox = Outbox()
    outbox.put_state("1", {"job": "a"})
    outbox.put_signal(Signal("nudge", {"job": "a"}))
    outbox.put_signal(Signal("nudge", {"job": "a"}))
    outbox.put_state("1", {"job": "b"})
    nudge = Signal("nudge", {"job": "a"})
    assert outbox.take() == [Update({"1": {"job": "a"}}), nudge, nudge, Update({"1": {"job": "b"}})]


def test_one_preview_waits_at_most_and_goes_last() -> None:
    outbox = Outbox()
    outbox.put_preview(Preview(1, "a", 0, 1, "image/png", b"1"))
    outbox.put_preview(PREVIEW)
    outbox.put_state("1", {"job": "b"})
    assert outbox.take() == [Update({"1": {"job": "b"}}), PREVIEW]


def test_engines_do_not_take_each_others_place() -> None:
    outbox = Outbox()
    other = Preview(1, "other job", 0, 1, "image/png", b"1", engine="2")
    outbox.put_state("1", {"job": "a", "sampling_step": 3})
    outbox.put_state("2", {"sampling_step": 9})
    outbox.put_state("1", {"sampling_step": 4})
    outbox.put_preview(other)
    outbox.put_preview(PREVIEW)
    assert outbox.take() == [Update({"1": {"job": "a", "sampling_step": 4}, "2": {"sampling_step": 9}}), other, PREVIEW]


def test_what_waits_at_the_end_is_still_taken() -> None:
    outbox = Outbox()
    outbox.put_state("1", {"job": "a"})
    outbox.close()
    outbox.put_state("1", {"job": "b"})
    assert outbox.take() == [Update({"1": {"job": "a"}})]
    assert outbox.take() == []


def test_take_waits_for_something() -> None:
    outbox = Outbox()
    taken: list[list[Message]] = []
    reader = threading.Thread(target=lambda: taken.append(outbox.take()))
    reader.start()
    reader.join(0.05)
    assert reader.is_alive()
    outbox.put_topic("events", 1)
    reader.join(5)
    assert taken == [[Update({}, {"events": 1})]]


STEP = st.one_of(
    st.tuples(st.just("state"), st.sampled_from("xyz"), st.integers()),
    st.tuples(st.just("topic"), st.sampled_from("xyz"), st.integers()),
    st.tuples(st.just("signal"), st.just("s"), st.integers()),
)


@settings(deadline=None)
@given(st.lists(STEP), st.lists(st.booleans()))
def test_a_reader_of_any_speed_ends_with_the_newest_values_and_every_signal(
    steps: list[tuple[str, str, int]], reads: list[bool]
) -> None:
    outbox = Outbox()
    state: dict[str, int] = {}
    topics: dict[str, int] = {}
    signals: list[tuple[int, dict[str, int]]] = []

    def read() -> None:
        for message in outbox.take():
            if isinstance(message, Update):
                state.update(message.states.get("1", {}))
                topics.update(message.topics)
            elif isinstance(message, Signal):
                signals.append((message.payload["number"], dict(state)))

    true_state: dict[str, int] = {}
    true_topics: dict[str, int] = {}
    true_signals: list[tuple[int, dict[str, int]]] = []
    for number, (kind, name, value) in enumerate(steps):
        if kind == "state":
            true_state[name] = value
            outbox.put_state("1", {name: value})
        elif kind == "topic":
            true_topics[name] = value
            outbox.put_topic(name, value)
        else:
            true_signals.append((value, dict(true_state)))
            outbox.put_signal(Signal("s", {"number": value}))
        if reads[number : number + 1] == [True]:
            read()
    outbox.close()
    read()
    assert (state, topics, signals) == (true_state, true_topics, true_signals)


@pytest.mark.parametrize(
    "message",
    [
        Update({"1": {"job": "ä\n", "time_start": 1.5, "textinfo": None}}, {"progress": {"step": 3}}),
        Signal("nudge", {"kind": "skip", "job": "a", "image": None}),
        PREVIEW,
        Update({"2": {"job": "b"}, "1": {"job": "a"}}, {"progress/2": None}),
        Update({"2": {"job": "b"}}, {}),
        dataclasses.replace(PREVIEW, engine="2"),
    ],
)
def test_messages_survive_the_wire(message: Message) -> None:
    assert decode(9, encode(9, message)) == message


def test_what_is_of_the_first_engine_reads_as_in_older_versions() -> None:
    """A launcher goes on while newer code is used for its server and engine."""
    update = Update({"1": {"job": "a"}}, {"progress": {"step": 3}})
    assert encode(2, update) == b'{"number":2,"state":{"job":"a"},"topics":{"progress":{"step":3}}}'


def test_a_preview_is_a_line_of_json_and_the_bytes_as_they_are() -> None:
    head, _, data = encode(1, PREVIEW).partition(b"\n")
    assert head == (b'{"number":1,"preview":{"id":3,"job":"job","image":1,"step":12,"media_type":"image/jpeg"}}')
    assert data == PREVIEW.data


@pytest.mark.parametrize(
    "frame", [b"", b"nonsense", b"[1]", b'{"number":1}', b'{"number":1,"preview":{"id":3}}', b"\x80\x04N."]
)
def test_nonsense_is_refused(frame: bytes) -> None:
    with pytest.raises(FrameError, match="not a message"):
        decode(1, frame)


def test_a_lost_message_is_noticed() -> None:
    with pytest.raises(FrameError, match="message 3 came instead of message 2"):
        decode(2, encode(3, Signal("s", {})))
