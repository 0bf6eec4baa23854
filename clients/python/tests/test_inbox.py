"""The inbox of the blocking API: events that are moved ahead of its lock."""

from __future__ import annotations

import threading

import pytest
from until import until

import spread_sidecar as s
from spread_sidecar import RegularMessage
from spread_sidecar._sync.inbox import Inbox


def message(sequence: int, size: int = 1) -> RegularMessage:
    return RegularMessage(sequence, 0, "#a#b", ("g",), 4, 0, bytes(size), False, 4)


def messages(first: int, last: int) -> list[RegularMessage]:
    return [message(sequence) for sequence in range(first, last + 1)]


@pytest.fixture
def inbox() -> Inbox:
    """An inbox with some of its ten events ahead of the lock. The first is taken."""
    inbox = Inbox(4096, 4 << 20, 0)
    inbox.push(messages(1, 10))
    assert inbox.take(None, None).sequence == 1
    assert len(inbox._buffer) == 0
    return inbox


def take_all(inbox: Inbox) -> list[int]:
    sequences = []
    while len(inbox):
        sequences.append(inbox.take(0, None).sequence)
    return sequences


def test_a_taker_needs_the_lock_once_for_many_events(inbox: Inbox) -> None:
    with inbox._lock:
        assert [inbox.take(None, None).sequence for _ in range(9)] == list(range(2, 11))
    assert (len(inbox), inbox.ready, inbox.last_taken) == (0, False, 10)


def test_events_ahead_of_the_lock_are_counted(inbox: Inbox) -> None:
    inbox.push([message(11)])
    assert (len(inbox), inbox.ready) == (10, True)
    inbox.end(None)
    assert not inbox.exhausted
    assert take_all(inbox) == list(range(2, 12))
    assert inbox.exhausted


def test_every_way_to_take_keeps_the_order(inbox: Inbox) -> None:
    inbox.push(messages(11, 12))
    assert inbox.take(None, s.Cancellation()).sequence == 2
    assert inbox.take(0, None).sequence == 3
    assert [event.sequence for event in inbox.take_more(3)] == [4, 5, 6]
    assert inbox.last_taken == 6
    assert take_all(inbox) == list(range(7, 13))
    with pytest.raises(s.SpreadError) as caught:
        inbox.take(0, None)
    assert caught.value.status == "DEADLINE_EXCEEDED"


def test_the_end_follows_the_events(inbox: Inbox) -> None:
    inbox.end(s.SpreadError("the end", status="ABORTED"))
    assert take_all(inbox) == list(range(2, 11))
    with pytest.raises(s.SpreadError, match="the end"):
        inbox.take(None, None)


def test_a_cancelled_take_removes_no_event(inbox: Inbox) -> None:
    cancel = s.Cancellation()
    cancel.cancel()
    with pytest.raises(s.SpreadError) as caught:
        inbox.take(None, cancel)
    assert caught.value.status == "CANCELLED"
    assert take_all(inbox) == list(range(2, 11))


def test_an_observer_is_called_at_once_when_the_last_event_is_taken(inbox: Inbox) -> None:
    observed: list[bool] = []
    inbox.observe(observed.append)
    inbox.push([message(11)])
    for _ in range(9):
        inbox.take(None, None)
    assert observed == [True]
    inbox.take(None, None)
    assert observed == [True, False]
    inbox.push([message(12)])
    assert observed == [True, False, True]


@pytest.mark.parametrize(("max_events", "max_bytes"), [(640, 1 << 30), (1 << 30, 640 * 257)])
def test_at_most_a_small_share_of_either_bound_is_ahead(max_events: int, max_bytes: int) -> None:
    inbox = Inbox(max_events, max_bytes, 0)
    assert inbox.push(messages(1, 640)), "full"
    inbox.take(None, None)
    assert len(inbox._ahead) == 640 // 32
    assert len(inbox) == 639


def test_nothing_is_ahead_of_the_lock_of_a_small_inbox() -> None:
    inbox = Inbox(8, 4 << 20, 0)
    inbox.push(messages(1, 8))
    inbox.take(None, None)
    assert (len(inbox._ahead), len(inbox)) == (0, 7)


def test_a_large_event_is_not_ahead_of_the_lock() -> None:
    inbox = Inbox(4096, 1 << 20, 0)
    inbox.push([message(1), message(2), message(3, 100_000), message(4)])
    inbox.take(None, None)
    assert len(inbox._ahead) == 1
    assert take_all(inbox) == [2, 3, 4]


def test_the_receiver_continues_when_half_is_taken() -> None:
    inbox = Inbox(640, 1 << 30, 0)
    assert inbox.push(messages(1, 640))
    filler = threading.Thread(target=inbox.wait_for_room)
    filler.start()
    until(lambda: inbox._filler_waits, "the filler to wait")
    for _ in range(340):
        inbox.take(None, None)
    filler.join(10)
    assert not filler.is_alive()


def test_threads_share_the_events_without_loss_and_each_in_order() -> None:
    count = 30_000
    inbox = Inbox(1024, 1 << 20, 0)
    taken: list[list[int]] = [[], [], [], []]

    def take(sequences: list[int], how: int) -> None:
        while True:
            try:
                event = inbox.take(None, s.Cancellation() if how == 1 else None)
            except s.SpreadError:
                return
            sequences.append(event.sequence)
            if how == 2:
                sequences.extend(more.sequence for more in inbox.take_more(5))

    threads = [threading.Thread(target=take, args=(sequences, how)) for how, sequences in enumerate(taken)]
    for thread in threads:
        thread.start()
    for first in range(1, count + 1, 25):
        if inbox.push(messages(first, first + 24)):
            inbox.wait_for_room()
        if first % 1000 == 1:
            inbox.observe(lambda ready: None)
            inbox.observe(None)
    inbox.end(None)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert sorted(sequence for sequences in taken for sequence in sequences) == list(range(1, count + 1))
    for sequences in (taken[0], taken[1], taken[3]):
        assert sequences == sorted(sequences)
