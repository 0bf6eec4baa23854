"""Receiving when streams break, end or have invalid frames, over a real gRPC connection."""

from __future__ import annotations

import threading
import time
from typing import Any, Iterator

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort, attached, batch, heartbeat
from until import until

import spread_sidecar as s

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def sidecar(fake: FakeSidecar, no_thread_left: None) -> Iterator[s.SpreadSidecar]:
    with s.SpreadSidecar(target=fake.target) as sidecar:
        yield sidecar


def end_of(mailbox: s.Mailbox) -> s.SpreadError:
    with pytest.raises(s.SpreadError) as caught:
        mailbox.receive(10)
    return caught.value


def test_resumes_after_the_last_event_of_a_broken_stream(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def breaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 2)
        until(lambda: mailbox.last_sequence == 2, "both were taken")
        abort(context, UNAVAILABLE, "")

    def goes_on(request: Any, context: Any) -> Any:
        yield attached(3)
        # An event from before: it must not be received again.
        yield batch(2, 3)
        fake.idle(context)

    fake.scripts = [breaks, goes_on]
    notices: list[s.Notice] = []
    mailbox = sidecar.connect(on_notice=notices.append)
    assert [mailbox.receive(10).sequence for _ in range(3)] == [1, 2, 3]
    assert fake.attaches == [0, 2]
    assert [notice.kind for notice in notices] == ["attached", "detached", "attached"]


def test_fetches_events_that_an_end_with_an_error_swallowed(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def ends_early(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        abort(context, UNAVAILABLE, "CONNECTION_CLOSED", domain="spread.org", last_sequence="3")

    def gives_the_rest(request: Any, context: Any) -> Any:
        yield attached(request.after_sequence + 1)
        yield batch(*range(request.after_sequence + 1, 4))
        until(lambda: mailbox.last_sequence == 3, "all were taken")
        abort(context, UNAVAILABLE, "CONNECTION_CLOSED", domain="spread.org", last_sequence="3")

    fake.scripts = [ends_early, gives_the_rest]
    mailbox = sidecar.connect()
    assert [mailbox.receive(10).sequence for _ in range(3)] == [1, 2, 3]
    error = end_of(mailbox)
    assert (error.status, error.code, error.number) == ("UNAVAILABLE", "CONNECTION_CLOSED", -8)
    assert "received_sequence" not in error.metadata


def test_reports_lost_events(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def ends_early(request: Any, context: Any) -> Any:
        yield attached(request.after_sequence + 1)
        abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_OVERFLOW", last_sequence="3")

    fake.scripts = [ends_early]
    error = end_of(sidecar.connect())
    assert error.reason == "QUEUE_OVERFLOW"
    assert error.metadata["received_sequence"] == "0"
    assert "events 1 to 3 are lost" in error.message


def test_a_gap_is_data_loss(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def leaves_out(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 3)
        fake.idle(context)

    fake.scripts = [leaves_out]
    mailbox = sidecar.connect()
    assert mailbox.receive(10).sequence == 1
    error = end_of(mailbox)
    assert (error.status, error.message) == ("DATA_LOSS", "event 2 is missing: the sidecar is already at sequence 3")


def test_a_heartbeat_that_knows_more_is_data_loss(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def forgets(request: Any, context: Any) -> Any:
        yield attached(1)
        yield heartbeat(4)
        fake.idle(context)

    fake.scripts = [forgets]
    assert end_of(sidecar.connect()).status == "DATA_LOSS"


def test_a_silent_stream_counts_as_broken(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def is_silent(request: Any, context: Any) -> Any:
        yield attached(1)
        fake.idle(context)

    def speaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        while context.is_active():
            yield heartbeat(1)
            time.sleep(0.1)

    fake.scripts = [is_silent, speaks]
    mailbox = sidecar.connect(heartbeat_interval=0.1)
    assert mailbox.receive(10).sequence == 1
    assert len(fake.attaches) == 2


def test_an_attempt_to_attach_without_a_frame_counts_as_broken(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def is_silent(request: Any, context: Any) -> Any:
        fake.idle(context)
        yield

    def speaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    fake.scripts = [is_silent, speaks]
    notices: list[s.Notice] = []
    # Without heartbeats, the limit is the lease. The client would give up after it.
    fake.lease = 0.5
    mailbox = sidecar.connect(heartbeat_interval=0.1, on_notice=notices.append)
    assert mailbox.receive(10).sequence == 1
    assert len(fake.attaches) == 2
    assert [notice.kind for notice in notices] == ["attached"]


def test_gives_up_without_a_frame(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def is_silent(request: Any, context: Any) -> Any:
        fake.idle(context)
        yield

    fake.scripts = [is_silent]
    fake.lease = 0.3
    error = end_of(sidecar.connect(heartbeat_interval=0))
    assert error.reason == "SIDECAR_UNREACHABLE"
    assert "the sidecar sent no frame for 0.3 s" in error.message


def test_a_replacement_ends_receiving_and_not_the_mailbox(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def is_replaced(request: Any, context: Any) -> Any:
        yield attached(1)
        abort(context, grpc.StatusCode.ABORTED, "RECEIVER_REPLACED", last_sequence="9")

    fake.scripts = [is_replaced]
    notices: list[s.Notice] = []
    mailbox = sidecar.connect(on_notice=notices.append)
    assert end_of(mailbox).reason == "RECEIVER_REPLACED"
    assert end_of(mailbox).reason == "RECEIVER_REPLACED"
    assert len(fake.attaches) == 1
    assert mailbox.multicast(s.FIFO_MESS, "g", b"123") == 3
    assert notices[-1].kind == "ended"


def test_gives_up_when_the_lease_has_expired(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def breaks(request: Any, context: Any) -> Any:
        abort(context, UNAVAILABLE, "")
        yield

    fake.scripts = [breaks]
    fake.lease = 0.5
    begin = time.monotonic()
    error = end_of(sidecar.connect())
    assert error.status == "UNAVAILABLE"
    assert "could not be reached for 0.5 s (the lease of the mailbox)" in error.message
    assert 0.4 < time.monotonic() - begin < 5
    # Pauses grow: no busy loop.
    assert len(fake.attaches) < 40


def test_a_full_inbox_stops_reading_from_the_connection(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    given = 0

    def floods(request: Any, context: Any) -> Any:
        nonlocal given
        yield attached(1)
        for sequence in range(1, 400):
            yield batch(sequence, payload=b"x" * 100_000)
            given = sequence
        fake.idle(context)

    fake.scripts = [floods]
    mailbox = sidecar.connect(max_buffered_bytes=1_000_000)
    assert mailbox.receive(10).sequence == 1
    until(lambda: mailbox._receiver._rules._paused, "it pauses")
    before = -1
    while before != given:
        before = given
        time.sleep(0.2)
    # 10 in the inbox, 10 in HTTP/2's window, and those in gRPC's buffers.
    assert given < 200
    assert [mailbox.receive(10).sequence for _ in range(398)] == list(range(2, 400))


def test_acknowledges_an_event_when_the_next_is_asked_for(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 2, 3)
        fake.idle(context)

    fake.scripts = [gives]
    fake.explicit = True
    failures = 1

    def fail_once(up_to: int, context: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            abort(context, UNAVAILABLE, "")

    fake.on_acknowledge = fail_once
    mailbox = sidecar.connect()
    mailbox.receive(10)
    assert fake.acknowledged == []
    mailbox.receive(10)
    until(lambda: fake.acknowledged == [1], "the first is acknowledged, at the second try")
    mailbox.receive_many(timeout=10)
    until(lambda: fake.acknowledged[-1] == 2, "the second is acknowledged")


def test_a_rejected_acknowledgement_ends_receiving(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    fake.scripts = [gives]
    fake.explicit = True
    fake.on_acknowledge = lambda up_to, context: abort(context, grpc.StatusCode.PERMISSION_DENIED, "ADMIN_ONLY")
    mailbox = sidecar.connect()
    mailbox.receive(10)
    assert end_of(mailbox).reason == "ADMIN_ONLY"


def test_an_acknowledgement_that_finds_the_end_of_the_mailbox_is_silent(
    fake: FakeSidecar, sidecar: s.SpreadSidecar
) -> None:
    acknowledgements: list[int] = []

    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        until(lambda: acknowledgements, "an acknowledgement fails")
        yield batch(2)
        fake.idle(context)

    def refuse(up_to: int, context: Any) -> None:
        acknowledgements.append(up_to)
        abort(context, UNAVAILABLE, "CONNECTION_CLOSED", domain="spread.org")

    fake.scripts = [gives]
    fake.explicit = True
    fake.on_acknowledge = refuse
    mailbox = sidecar.connect()
    assert [mailbox.receive(10).sequence for _ in range(2)] == [1, 2]
    with pytest.raises(s.SpreadError) as caught:
        mailbox.receive(0.1)
    # Receiving continues, and the client does not repeat the acknowledgement.
    assert caught.value.status == "DEADLINE_EXCEEDED"
    assert acknowledgements == [1]


def test_keeps_the_lease_while_nothing_else_does(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    fake.lease = 0.3
    sidecar.connect()
    sidecar.connect(keep_alive=False)
    until(lambda: fake.polls >= 3, "it polls")


def test_disconnect_ends_the_iteration_after_the_last_event(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.over.wait(10)
        yield batch(2)

    fake.scripts = [gives]
    mailbox = sidecar.connect()
    seen = []
    for event in mailbox:
        seen.append(event.sequence)
        if event.sequence == 1:
            assert mailbox.disconnect() is True
    assert seen == [1, 2]
    assert mailbox.disconnect() is True
    assert fake.disconnects == 1
    error = end_of(mailbox)
    assert (error.code, error.status, error.outcome) == ("ILLEGAL_SESSION", "NOT_FOUND", "not-sent")


def test_detach_returns_the_arguments_of_attach(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(request.after_sequence + 1)
        yield batch(request.after_sequence + 1, request.after_sequence + 2)
        fake.idle(context)

    fake.scripts = [gives]
    mailbox = sidecar.connect()
    mailbox.receive(10)
    resumption = mailbox.detach()
    assert resumption == s.Resumption("m" * 32, 1)
    again = sidecar.attach(resumption.mailbox_id, after_sequence=resumption.after_sequence)
    assert again.receive(10).sequence == 2
    assert fake.disconnects == 0
    # Without after_sequence: after the last delivered (AUTO) or acknowledged (EXPLICIT) event.
    assert sidecar.attach("m" * 32).last_sequence == 7
    fake.explicit = True
    assert sidecar.attach("m" * 32).last_sequence == 5


def test_a_receive_can_be_cancelled_and_times_out(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        give.wait(10)
        yield batch(1)
        fake.idle(context)

    give = threading.Event()
    fake.scripts = [gives]
    mailbox = sidecar.connect()
    for timeout in (0, 0.05):
        with pytest.raises(s.SpreadError) as caught:
            mailbox.receive(timeout)
        assert (caught.value.status, caught.value.retryable) == ("DEADLINE_EXCEEDED", True)
    cancellation = s.Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    with pytest.raises(s.SpreadError) as caught:
        mailbox.receive(cancel=cancellation)
    assert caught.value.status == "CANCELLED"
    give.set()
    assert mailbox.receive(10).sequence == 1


def test_several_threads_share_the_events(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        for sequence in range(1, 501):
            yield batch(sequence)
        fake.over.wait(10)

    fake.scripts = [gives]
    mailbox = sidecar.connect()
    taken: list[int] = []

    def take() -> None:
        taken.extend(event.sequence for event in mailbox)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: mailbox.last_sequence == 500, "all are taken")
    mailbox.disconnect()
    for thread in threads:
        thread.join(10)
    assert sorted(taken) == list(range(1, 501))


def test_reports_when_receive_would_not_block(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 2)
        fake.over.wait(10)

    fake.scripts = [gives]
    mailbox = sidecar.connect()
    observed: list[bool] = []
    mailbox.observe_readiness(observed.append)
    until(lambda: observed == [False, True], "there is an event")
    mailbox.receive()
    assert observed == [False, True]
    mailbox.receive()
    assert observed == [False, True, False]
    assert not mailbox.ready
    mailbox.disconnect()
    assert observed == [False, True, False, True]
    assert mailbox.ready


def test_an_on_notice_that_raises_does_no_harm(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    def raises(notice: s.Notice) -> None:
        raise ValueError("from the application")

    fake.scripts = [gives]
    assert sidecar.connect(on_notice=raises).receive(10).sequence == 1
