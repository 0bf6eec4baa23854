"""The drop-in module's descriptor and disconnects, without a sidecar."""

from __future__ import annotations

import gc
import os
import random
import select
import threading
from typing import Iterator

import pytest
from fake_sidecar import FakeSidecar
from until import until

import spread
from spread import _connect
from spread._readiness import Readiness
from spread_sidecar import RegularMessage, SpreadError
from spread_sidecar._sync.inbox import Inbox


def event(sequence: int) -> RegularMessage:
    return RegularMessage(sequence, 0, "#a#b", ("g",), 8, 0, b"", False, 8)


@pytest.fixture
def readiness() -> Iterator[Readiness]:
    readiness = Readiness()
    yield readiness
    readiness.close()


def readable(readiness: Readiness) -> bool:
    return bool(select.select([readiness], [], [], 0)[0])


def would_not_wait(inbox: Inbox) -> bool:
    """Whether ``take`` returns an event or the end at once. It does not put the event back."""
    try:
        inbox.take(0, None)
    except SpreadError as error:
        return error.status != "DEADLINE_EXCEEDED"
    return True


@pytest.mark.parametrize("seed", range(40))
def test_it_is_readable_exactly_when_taking_would_not_wait(seed: int, readiness: Readiness) -> None:
    chance = random.Random(seed)
    # The larger inbox moves events ahead of its lock before it is observed.
    inbox = Inbox(8 if seed % 2 else 256, 1 << 20, 0)
    sequence = waiting = 0
    ended = False
    observed_from = chance.randrange(10)
    for step in range(60):
        if step == observed_from:
            inbox.observe(readiness.set)
        what = chance.random()
        if what < 0.4 and not ended:
            size = chance.randrange(1, 4)
            inbox.push([event(sequence + n) for n in range(1, size + 1)])
            sequence, waiting = sequence + size, waiting + size
        elif what < 0.8 and waiting:
            inbox.take(0, None)
            waiting -= 1
        elif what < 0.9:
            waiting -= len(inbox.take_more(chance.randrange(4)))
        elif what > 0.98:
            ended = inbox.end(None) or ended
        if step >= observed_from:
            assert readable(readiness) == (waiting > 0 or ended)
            assert inbox.ready == readable(readiness)
    assert would_not_wait(inbox) == (waiting > 0 or ended)


def test_it_is_exact_while_threads_push_and_take(readiness: Readiness) -> None:
    inbox = Inbox(1 << 20, 1 << 30, 0)
    inbox.observe(readiness.set)
    count = 5000

    def push() -> None:
        for sequence in range(1, count + 1):
            inbox.push([event(sequence)])

    thread = threading.Thread(target=push)
    thread.start()
    for _ in range(count):
        assert select.select([readiness], [], [], 10)[0], "not readable, though more is to come"
        inbox.take(0, None)
    thread.join()
    assert not readable(readiness)
    inbox.end(None)
    assert readable(readiness)


def test_select_wakes_up_when_another_thread_disconnects(
    fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    box = spread.connect()
    poll = select.poll()
    poll.register(box, select.POLLIN)
    woken = threading.Event()

    def wait() -> None:
        poll.poll(10_000)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not woken.wait(0.1)
    box.disconnect()
    assert woken.wait(5)
    thread.join()


@pytest.mark.usefixtures("no_thread_left")
def test_a_mailbox_in_a_cycle_is_disconnected_by_any_collection(
    fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    descriptors = len(os.listdir("/proc/self/fd"))

    class Program:
        def __init__(self) -> None:
            self.box = spread.connect()
            self.box.fileno()
            self.me = self

    program = Program()
    # The worst case: the garbage collector runs in a thread that holds the inbox's lock.
    lock = program.box._mailbox._inbox._lock
    del program
    with lock:
        # The collector does not wait for the lock.
        gc.collect()
    until(lambda: fake.disconnects == 1, "the disconnect")
    until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors, "all descriptors closed")


def test_a_forked_child_does_not_disconnect(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    box = spread.connect()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        _connect._disconnect_all()
        box.__del__()
    assert fake.disconnects == 0
    box.disconnect()
    assert fake.disconnects == 1


def test_disconnect_does_not_fail_without_a_sidecar(
    fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    box = spread.connect()
    fake.stop()
    box.disconnect()
    box.disconnect()
