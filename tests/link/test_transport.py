import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from modules.link.transport import Offer, Transport, connect

ROOT = Path(__file__).resolve().parent.parent.parent

ECHO = """
from modules.link.transport import connect
transport = connect()
try:
    while True:
        transport.send(transport.receive())
except EOFError:
    print("end of file")
"""


def pair(stuck_after: float = 5.0) -> tuple[Transport, Transport]:
    one, other = socket.socketpair()
    return Transport(one, stuck_after), Transport(other, stuck_after)


@pytest.mark.parametrize("inherit", [True, False], ids=["inherited descriptor", "loopback with a key"])
def test_a_child_takes_its_end_and_sees_the_launchers_end(inherit: bool) -> None:
    offer = Offer(inherit)
    child = subprocess.Popen(
        [sys.executable, "-c", ECHO], cwd=ROOT, env={**os.environ, **offer.environment}, pass_fds=offer.descriptors,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    transport = offer.taken()
    for frame in (b"", b"x", os.urandom(3_000_000)):
        sender = threading.Thread(target=transport.send, args=(frame,))
        sender.start()
        assert transport.receive(timeout=10) == frame
        sender.join()
    transport.shut()
    output, _ = child.communicate(timeout=10)
    transport.close()
    assert (output, child.returncode) == ("end of file\n", 0)


def test_a_stranger_without_the_key_is_refused() -> None:
    offer = Offer(inherit=False)
    stranger = connect({**offer.environment, "STEADY_LINK_KEY": "00" * 32})
    assert stranger is not None
    with pytest.raises(OSError, match="a stranger"):
        offer.taken()
    stranger.close()


def test_a_process_without_launcher_has_no_link() -> None:
    assert connect({}) is None


def test_a_reader_that_takes_nothing_fails_the_write_in_time() -> None:
    writer, reader = pair(stuck_after=0.2)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        writer.send(b"x" * 5_000_000)
    assert time.monotonic() - began > 0.15  # it was given that time, and no more
    writer.close()
    reader.close()


def test_a_reader_that_is_slow_but_reads_is_not_dead() -> None:
    writer, reader = pair(stuck_after=0.3)
    frames = [bytes([number]) * 200_000 for number in range(6)]
    sender = threading.Thread(target=lambda: [writer.send(frame) for frame in frames])
    sender.start()
    received = []
    for _ in frames:
        time.sleep(0.15)
        received.append(reader.receive())
    sender.join()
    assert received == frames
    writer.close()
    reader.close()


def test_receive_gives_up_after_its_timeout() -> None:
    one, other = pair(stuck_after=0.05)
    with pytest.raises(TimeoutError):
        other.receive(timeout=0.1)
    one.close()
    with pytest.raises(EOFError):
        other.receive(timeout=5)
    other.close()


def test_a_frame_that_cannot_be_ours_is_refused() -> None:
    one, other = socket.socketpair()
    transport = Transport(other)
    one.sendall(b"\xff\xff\xff\xff")
    with pytest.raises(OSError, match="not one of ours"):
        transport.receive()
    one.close()
    transport.close()
