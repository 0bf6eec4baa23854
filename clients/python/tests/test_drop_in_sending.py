"""The drop-in module's multicasts: sent at once, in order, within a limit, and never lost without an error."""

from __future__ import annotations

import threading
from typing import Any, Iterator

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort
from until import until

import spread
from spread import _outgoing
from spread_sidecar import Sender, SpreadError
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb


class Recorder:
    """Records the messages of MulticastStream. ``gate`` delays the responses, ``ends`` ends a stream after its
    batch, and ``end_now`` breaks the streams whose responses ``gate`` delays.
    """

    def __init__(self, fake: FakeSidecar) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.messages: list[Any] = []
        self.streams = 0
        self.ends: list[tuple[grpc.StatusCode, str]] = []
        self.end_before_answer = False
        self.end_now = threading.Event()
        fake.on_stream = self.stream
        self._fake = fake

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def stream(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pb.MulticastStreamResponse]:
        self.streams += 1
        decided = 0
        for request in requests:
            self.messages += request.batch.messages
            decided += len(request.batch.messages)
            if request.batch.messages and self.ends and self.end_before_answer:
                abort(context, *self.ends.pop(0))
            while not self.gate.wait(0.01):
                if self.end_now.is_set():
                    abort(context, grpc.StatusCode.UNAVAILABLE, "")
                if not context.is_active():
                    return
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)
            if request.batch.messages and self.ends:
                abort(context, *self.ends.pop(0))


@pytest.fixture
def recorder(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    return Recorder(fake)


@pytest.fixture
def box(recorder: Recorder) -> Iterator[spread.MailboxType]:
    box = spread.connect()
    yield box
    recorder.gate.set()
    box.disconnect()


def send(box: spread.MailboxType, payload: str = "x") -> int:
    return box.multicast(spread.FIFO_MESS, "g", payload)


def failure(box: spread.MailboxType, payload: str = "x") -> tuple[Any, ...]:
    with pytest.raises(spread.SpreadError) as caught:
        send(box, payload)
    return caught.value.args


def test_a_multicast_does_not_wait_for_the_sidecar(box: spread.MailboxType, recorder: Recorder) -> None:
    recorder.gate.clear()
    assert [send(box, str(n)) for n in range(2000)] == [len(str(n)) for n in range(2000)]
    recorder.gate.set()
    until(lambda: len(recorder.messages) == 2000, "all messages")
    assert recorder.payloads == [str(n).encode() for n in range(2000)]


def test_messages_in_flight_are_limited(box: spread.MailboxType, recorder: Recorder) -> None:
    recorder.gate.clear()
    sent = 0

    def run() -> None:
        nonlocal sent
        for _ in range(12_000):
            send(box)
            sent += 1

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: sent == 10_000, "the bound")
    thread.join(0.3)
    assert sent == 10_000
    recorder.gate.set()
    thread.join(30)
    assert sent == 12_000


@pytest.mark.parametrize("call", ["join", "leave", "disconnect"])
def test_other_calls_follow_earlier_multicasts(
    call: str, box: spread.MailboxType, recorder: Recorder, fake: FakeSidecar
) -> None:
    seen: list[tuple[str, int]] = []
    fake.on_other = lambda call: seen.append((call, len(recorder.messages)))
    for _ in range(500):
        send(box)
    getattr(box, call)(*([] if call == "disconnect" else ["h"]))
    assert seen == [(call, 500)]


def test_an_unreferenced_mailbox_sends_its_messages_first(recorder: Recorder, fake: FakeSidecar) -> None:
    box = spread.connect()
    for _ in range(500):
        send(box)
    del box
    until(lambda: fake.disconnects == 1, "the disconnect")
    assert len(recorder.messages) == 500


def test_a_broken_session_is_reported_once_and_then_the_mailbox_is_closed(
    box: spread.MailboxType, recorder: Recorder
) -> None:
    recorder.ends = [(grpc.StatusCode.UNAVAILABLE, "CONNECTION_CLOSED")]
    send(box)
    until(lambda: box._outgoing._sender is not None and box._outgoing._sender.closed, "the end")
    assert failure(box)[0] == spread.CONNECTION_CLOSED
    assert failure(box) == ("multicast() called on closed mbox",)
    with pytest.raises(spread.SpreadError, match=r"receive\(\) called on closed mbox"):
        box.receive()


def test_messages_in_doubt_end_the_mailbox(box: spread.MailboxType, recorder: Recorder, fake: FakeSidecar) -> None:
    recorder.ends = [(grpc.StatusCode.UNAVAILABLE, "")]
    recorder.end_before_answer = True
    send(box)
    until(lambda: box._outgoing._sender is not None and box._outgoing._sender.closed, "the end")
    assert failure(box)[0] == spread.CONNECTION_CLOSED
    assert failure(box) == ("multicast() called on closed mbox",)
    # The mailbox may still exist in the sidecar.
    until(lambda: fake.disconnects == 1, "the disconnect")


def test_a_broken_stream_without_messages_in_flight_is_replaced(
    box: spread.MailboxType, recorder: Recorder
) -> None:
    recorder.ends = [(grpc.StatusCode.UNAVAILABLE, ""), (grpc.StatusCode.UNAVAILABLE, "CONNECTION_TOO_OLD")]
    for n in range(3):
        send(box, str(n))
        until(lambda: len(recorder.messages) == n + 1, "the message")
        if n < 2:
            until(lambda: box._outgoing._sender is not None and box._outgoing._sender.closed, "the end")
    assert recorder.payloads == [b"0", b"1", b"2"]
    assert recorder.streams == 3


def test_a_stream_is_renewed_before_it_is_too_old(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_outgoing, "_MAX_AGE", 0.0)
    errors: list[Exception] = []

    def run() -> None:
        try:
            for _ in range(20):
                send(box)
        except spread.SpreadError as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    box.disconnect()
    assert errors == []
    assert len(recorder.messages) == 60
    assert recorder.streams > 2


class Renewal:
    """One thread has chosen a stream for its message when another thread closes this stream to renew it.

    ``late`` is the thread that has chosen the stream. The stream has one message in flight.
    """

    def __init__(self, box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        send(box, "first")
        old = box._outgoing._sender
        assert old is not None
        until(lambda: not old.undecided, "the response")
        recorder.gate.clear()
        send(box, "in flight")
        until(lambda: len(recorder.messages) == 2, "the message in flight")
        self.errors: dict[str, Exception] = {}
        chosen, closing, settled = threading.Event(), threading.Event(), threading.Event()
        real_send = Sender.send

        def paused_send(sender: Sender, *args: Any) -> None:
            if threading.current_thread() is self.late and sender is old:
                chosen.set()
                assert closing.wait(30)
            real_send(sender, *args)

        class ObservedLock:
            """Reports when the late thread waits for the renewal."""

            def __init__(self) -> None:
                self._lock = threading.Lock()
                self.acquire = self._lock.acquire
                self.release = self._lock.release

            def __enter__(self) -> None:
                if threading.current_thread() is late:
                    settled.set()
                self._lock.acquire()

            def __exit__(self, *error: object) -> None:
                self._lock.release()

        def run(payload: str) -> None:
            try:
                send(box, payload)
            except spread.SpreadError as error:
                self.errors[payload] = error
            finally:
                if payload == "late":
                    settled.set()

        self.late = late = threading.Thread(target=run, args=("late",))
        self.renewing = threading.Thread(target=run, args=("renewing",))
        monkeypatch.setattr(Sender, "send", paused_send)
        monkeypatch.setattr(box._outgoing, "_lock", ObservedLock())
        self.late.start()
        assert chosen.wait(30)
        box._outgoing._renew_at = 0.0
        self.renewing.start()
        until(lambda: old.closed, "the close")
        closing.set()
        # The late thread has failed, or it waits for the renewal.
        assert settled.wait(30)

    def join(self) -> None:
        for thread in (self.late, self.renewing):
            thread.join(30)
            assert not thread.is_alive()


def test_a_multicast_waits_for_the_renewal_by_another_thread(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal = Renewal(box, recorder, monkeypatch)
    recorder.gate.set()
    renewal.join()
    assert renewal.errors == {}
    until(lambda: len(recorder.messages) == 4, "all messages")
    assert recorder.payloads[:2] == [b"first", b"in flight"]
    assert sorted(recorder.payloads[2:]) == [b"late", b"renewing"]
    assert recorder.streams == 2


def test_no_multicast_follows_a_renewal_that_may_have_lost_messages(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal = Renewal(box, recorder, monkeypatch)
    recorder.end_now.set()
    renewal.join()
    assert {error.args[0] for error in renewal.errors.values()} == {spread.CONNECTION_CLOSED}
    assert sorted(renewal.errors) == ["late", "renewing"]
    assert recorder.payloads == [b"first", b"in flight"]
    assert recorder.streams == 1


def test_the_end_does_not_wait_longer_than_its_timeout_for_a_renewal_by_another_thread(
    box: spread.MailboxType, recorder: Recorder
) -> None:
    send(box, "first")
    recorder.gate.clear()
    send(box, "in flight")
    box._outgoing._renew_at = 0.0
    renewing = threading.Thread(target=lambda: send(box, "late"), daemon=True)
    renewing.start()
    until(box._outgoing._lock.locked, "the renewal")
    with pytest.raises(SpreadError) as raised:
        box._outgoing.close(0.05)
    assert raised.value.status == "DEADLINE_EXCEEDED"
    recorder.gate.set()
    renewing.join(30)
    assert not renewing.is_alive()


def test_a_multicast_follows_several_renewals_by_other_threads(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_send = Sender.send
    renewals = 3

    def overtaken_send(sender: Sender, *args: Any) -> None:
        nonlocal renewals
        if args[2] == b"late" and renewals:
            renewals -= 1
            box._outgoing._renew_at = 0.0
            other = threading.Thread(target=send, args=(box, "other"))
            other.start()
            other.join(30)
        real_send(sender, *args)

    monkeypatch.setattr(Sender, "send", overtaken_send)
    send(box, "late")
    until(lambda: len(recorder.messages) == 4, "all messages")
    assert recorder.payloads == [b"other"] * 3 + [b"late"]
    assert recorder.streams == 4


def test_a_stream_that_breaks_during_its_renewal_without_messages_in_flight_is_replaced(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(box, "0")
    old = box._outgoing._sender
    assert old is not None
    until(lambda: not old.undecided, "the response")
    real_close = Sender.close

    def close_of_a_broken_stream(sender: Sender, **options: Any) -> Any:
        if sender is old:
            sender._call.cancel()
            until(lambda: sender._window.failure, "the end")
        return real_close(sender, **options)

    monkeypatch.setattr(Sender, "close", close_of_a_broken_stream)
    box._outgoing._renew_at = 0.0
    send(box, "1")
    until(lambda: len(recorder.messages) == 2, "all messages")
    assert recorder.payloads == [b"0", b"1"]
    assert recorder.streams == 2


def test_a_multicast_replaces_only_one_broken_stream(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_send = Sender.send
    broken: list[Sender] = []

    def send_on_a_broken_stream(sender: Sender, *args: Any) -> None:
        broken.append(sender)
        sender._call.cancel()
        until(lambda: sender._window.failure, "the end")
        real_send(sender, *args)

    monkeypatch.setattr(Sender, "send", send_on_a_broken_stream)
    assert failure(box)[0] == spread.CONNECTION_CLOSED
    assert len(set(broken)) == len(broken) == 2


def test_a_multicast_after_an_interrupted_renewal_waits_for_the_messages_in_flight(
    box: spread.MailboxType, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.gate.clear()
    send(box, "0")
    old = box._outgoing._sender
    assert old is not None
    real_close = Sender.close
    closes = 0

    def interrupted_close(sender: Sender, **options: Any) -> Any:
        nonlocal closes
        if sender is old:
            closes += 1
            if closes == 1:
                # As Ctrl-C during the wait for the messages in flight.
                sender._window.closing = True
                raise KeyboardInterrupt
            recorder.gate.set()
        return real_close(sender, **options)

    monkeypatch.setattr(Sender, "close", interrupted_close)
    box._outgoing._renew_at = 0.0
    with pytest.raises(KeyboardInterrupt):
        send(box, "interrupted")
    send(box, "1")
    assert closes == 2
    until(lambda: len(recorder.messages) == 2, "all messages")
    assert recorder.payloads == [b"0", b"1"]


def test_names_are_cut_as_the_c_library_cuts_them(box: spread.MailboxType, recorder: Recorder) -> None:
    long = "g" * 60
    assert box.multicast(spread.SAFE_MESS, long, "12345") == 5
    assert box.multigroup_multicast(spread.SAFE_MESS, ("ok", long), "12345") == 5
    assert box.multicast(spread.SAFE_MESS, "#me#fake", "12345") == 5
    until(lambda: len(recorder.messages) == 3, "all messages")
    assert [list(message.groups) for message in recorder.messages] == [["g" * 31], ["ok", "g" * 31], ["#me#fake"]]


def test_undeliverable_messages_count_as_sent(box: spread.MailboxType, recorder: Recorder) -> None:
    for invalid in ("", "a b", "a\x01b", "caf\xe9", "#", "##", "#x#y#z"):
        assert box.multicast(spread.SAFE_MESS, invalid, "12345") == 5
        assert box.multigroup_multicast(spread.SAFE_MESS, (invalid, "ok", ""), "12345") == 5
        assert box.multigroup_multicast(spread.SAFE_MESS, (invalid, ""), "12345") == 5
    until(lambda: len(recorder.messages) == 7, "what is delivered")
    assert all(list(message.groups) == ["ok"] for message in recorder.messages)


def test_messages_that_the_sidecar_would_reject_later_are_rejected_at_once(
    box: spread.MailboxType, recorder: Recorder, fake: FakeSidecar
) -> None:
    box._max_groups, box._max_bytes = 3, 1000
    assert box.multicast(spread.FIFO_MESS, "g", "x" * (1000 - 32)) == 1000 - 32
    for groups, size, number in ((1, 969, spread.MESSAGE_TOO_LONG), (2, 937, spread.MESSAGE_TOO_LONG)):
        with pytest.raises(spread.SpreadError) as caught:
            box.multigroup_multicast(spread.FIFO_MESS, ("g",) * groups, "x" * size)
        assert caught.value.args[0] == number
    with pytest.raises(spread.SpreadError) as caught:
        box.multigroup_multicast(spread.FIFO_MESS, ("g",) * 4, "x")
    assert caught.value.args[0] == spread.ILLEGAL_GROUP
    for service, group in ((0, "g"), (0, ""), (spread.SELF_DISCARD, "g"), (spread.SELF_DISCARD, "a b")):
        with pytest.raises(spread.SpreadError) as caught:
            box.multicast(service, group, "x")
        assert caught.value.args[0] == spread.ILLEGAL_SERVICE
    # None of these errors ends the mailbox.
    send(box)
