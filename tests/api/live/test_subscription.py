"""What waits for a reader is bounded, and old news are not told."""

import asyncio

from modules.api.live.subscription import Message, Subscription


def event(number: int) -> Message:
    return Message(f"event {number}", number)


async def drain(subscription: Subscription) -> list[str]:
    subscription.end()
    found = []
    while (message := await subscription.next()) is not None:
        found.append(message.text)
    return found


async def test_events_come_in_order_and_before_all_else() -> None:
    subscription = Subscription()
    subscription.put_newest("preview", Message("preview 1"))
    subscription.put(event(1))
    subscription.put(event(2))
    assert await drain(subscription) == ["event 1", "event 2", "preview 1"]


async def test_a_slow_reader_gets_only_the_newest_preview_and_progress() -> None:
    subscription = Subscription()
    for number in range(100):
        subscription.put_newest("preview", Message(f"preview {number}"))
        subscription.put_newest("progress", Message(f"progress {number}"))
    assert await drain(subscription) == ["preview 99", "progress 99"]


async def test_events_that_the_snapshot_covers_are_dropped_early_and_late() -> None:
    subscription = Subscription()
    subscription.put(event(4))
    subscription.put(event(5))
    subscription.skip_to(4)
    subscription.put(event(3))
    subscription.put(event(6))
    assert await drain(subscription) == ["event 5", "event 6"]


async def test_word_that_the_server_leaves_is_never_dropped() -> None:
    subscription = Subscription()
    subscription.put(Message("leaving"))
    subscription.skip_to(4)
    assert await drain(subscription) == ["leaving"]


async def test_a_reader_that_is_too_slow_is_dropped() -> None:
    subscription = Subscription(capacity=3)
    subscription.skip_to(0)
    for number in range(1, 5):
        subscription.put(event(number))
    assert subscription.ended
    assert await subscription.next() is None


async def test_a_reader_whose_beginning_is_being_read_is_not_slow() -> None:
    knows, behind = Subscription(capacity=3), Subscription(capacity=3)
    for subscription in (knows, behind):
        for number in range(1, 7):
            subscription.put(event(number))
        assert not subscription.ended
    knows.skip_to(4)
    assert await drain(knows) == ["event 5", "event 6"]
    behind.skip_to(2)  # 3 is told by nobody
    assert behind.ended
    assert await behind.next() is None


async def test_next_waits_for_what_comes() -> None:
    subscription = Subscription()
    following = asyncio.create_task(subscription.next())
    await asyncio.sleep(0)
    assert not following.done()
    subscription.put(event(1))
    assert await following == event(1)


async def test_lost_events_end_only_those_who_do_not_know_them() -> None:
    knows, heard, behind, begins = (Subscription() for _ in range(4))
    knows.skip_to(9)
    heard.skip_to(3)
    heard.put(Message("nine", 9))
    behind.skip_to(8)
    for one in (knows, heard, behind, begins):
        one.lose(until=9)
    assert [one.ended for one in (knows, heard, behind, begins)] == [False, False, True, False]
    begins.skip_to(8)
    assert begins.ended, "its beginning was read before they were lost"
