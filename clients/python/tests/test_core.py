"""Rules and conversions without a connection."""

from __future__ import annotations

import random
from typing import Any, Callable

import pytest
from until import until

import spread_sidecar as s
from spread_sidecar import constants, predicates
from spread_sidecar._core.batch_encoder import encode_batch, encode_open
from spread_sidecar._core.durations import to_duration, to_seconds
from spread_sidecar._core.event_buffer import EventBuffer
from spread_sidecar._core.from_event import decode_batch
from spread_sidecar._core.outgoing import Outgoing, to_multicast_message, to_outgoing
from spread_sidecar.gen.spread.sidecar.internal.v1 import rich_status_pb2
from spread_sidecar._core.rich_status import to_spread_error
from spread_sidecar._core.rules.failures import is_failed_disconnect, is_transport_failure
from spread_sidecar._core.rules.ready import ReadyWait
from spread_sidecar._core.rules.receiving import ReceivePlan, ReceiveRules
from spread_sidecar._core.rules.send_window import SendWindow
from spread_sidecar._core.service_type import SERVICE_WORDS
from spread_sidecar._sync.timers import Timers
from spread_sidecar.gen.spread.sidecar.v1 import event_pb2, types_pb2
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb


def test_frames_are_those_of_the_generated_encoder() -> None:
    draw = random.Random(1)
    lengths = [0, 1, 127, 128, 16_383, 16_384, 100_000]
    types = [0, 1, -1, 63, 64, -32768, 32767, 0x7FFFFFFF, -0x80000000]
    for _ in range(100):
        messages = [
            Outgoing(
                draw.randint(1, 6),
                tuple(draw.choice(["g", "\xe9\xff", "x" * 31]) for _ in range(draw.randint(0, 3))),
                bytes(draw.choice(lengths)),
                draw.choice(types),
                draw.random() < 0.5,
            )
            for _ in range(draw.randint(1, 6))
        ]
        batch = pb.MulticastBatch(messages=[to_multicast_message(message) for message in messages])
        assert encode_batch(messages, False) == pb.MulticastStreamRequest(batch=batch).SerializeToString()
        batch.respond = True
        assert encode_batch(messages, True) == pb.MulticastStreamRequest(batch=batch).SerializeToString()
    empty = pb.MulticastStreamRequest(batch=pb.MulticastBatch(respond=True))
    assert encode_batch([], True) == empty.SerializeToString()
    opening = pb.MulticastStreamOpen(mailbox_id="m" * 200, responds_on_request=True)
    assert encode_open("m" * 200) == pb.MulticastStreamRequest(open=opening).SerializeToString()


def test_payloads_are_bytes_or_text() -> None:
    for payload in (b"h\xc3\xa9", bytearray(b"h\xc3\xa9"), memoryview(b"h\xc3\xa9"), "h\xe9"):
        assert to_outgoing(s.SAFE_MESS, ("g",), payload, 0, False).payload == b"h\xc3\xa9"
    assert to_outgoing(s.SAFE_MESS | s.SELF_DISCARD, ("g",), b"", 0, False).self_discard
    assert to_outgoing(s.SAFE_MESS, ("g",), b"", 0, True).to_public() == s.OutgoingMessage(
        s.SAFE_MESS, ("g",), b"", 0, True
    )
    assert len(SERVICE_WORDS) == 12


def test_every_kind_of_event() -> None:
    group_id = types_pb2.GroupId(daemon_id=4294967295, time=-5, index=3)
    events = [
        event_pb2.Event(
            regular_message=event_pb2.RegularMessage(
                sender="#a#n",
                groups=["g", "h"],
                service_type=types_pb2.SERVICE_TYPE_SAFE,
                message_type=-7,
                payload=b"\x00\xff",
                endian_mismatch=True,
                self_discard=True,
                spread_type=0x60,
            )
        ),
        event_pb2.Event(
            membership_view=event_pb2.MembershipView(
                group="g",
                group_id=group_id,
                cause=event_pb2.MEMBERSHIP_CAUSE_NETWORK,
                members=["#a#n", "#b#n"],
                own_index=1,
                changed_members=["#a#n"],
                virtual_synchrony_sets=[
                    event_pb2.VirtualSynchronySet(members=["#a#n"]),
                    event_pb2.VirtualSynchronySet(members=["#b#n"], mine=True),
                ],
            )
        ),
        event_pb2.Event(transitional_signal=event_pb2.TransitionalSignal(group="g", group_id=group_id)),
        event_pb2.Event(self_leave=event_pb2.SelfLeave(group="g")),
        event_pb2.Event(
            rejected_message=event_pb2.RejectedMessage(
                operation=event_pb2.REJECTED_OPERATION_JOIN, sender="#a#n", groups=["g"], spread_type=0x410000
            )
        ),
        event_pb2.Event(connection_lost=event_pb2.ConnectionLost(private_group="#a#n", groups=["g"], spread_code=-8)),
        event_pb2.Event(
            connection_restored=event_pb2.ConnectionRestored(
                previous_private_group="#a#n", private_group="#a#o", groups=["g"], daemon="4803@o"
            )
        ),
        # A kind of a later release.
        event_pb2.Event(),
    ]
    for number, event in enumerate(events):
        event.sequence = number + 1
        event.received_at.seconds = 1_700_000_000
        event.received_at.nanos = 123_000_000
    decoded = decode_batch(pb.EventBatch(events=events), 0)
    assert (decoded.last, decoded.gap) == (8, None)
    regular, view, transitional, left, rejected, lost, restored = decoded.events
    assert [event.sequence for event in decoded.events] == [1, 2, 3, 4, 5, 6, 7]
    assert regular.received_at is not None
    assert regular.received_at.isoformat() == "2023-11-14T22:13:20.123000+00:00"

    assert isinstance(regular, s.RegularMessage)
    assert (regular.kind, regular.sender, regular.groups, regular.payload) == (
        "regular",
        "#a#n",
        ("g", "h"),
        b"\x00\xff",
    )
    assert (regular.service_type, regular.service_type_name, regular.message_type) == (s.SAFE_MESS, "SAFE", -7)
    assert (regular.endian_mismatch, regular.self_discard, regular.spread_type) == (True, True, 0x60)
    assert regular.text() == "\x00\ufffd"

    assert isinstance(view, s.ViewMessage)
    assert isinstance(view, s.MembershipMessage)
    assert (view.group, view.group_id, view.cause) == ("g", s.GroupId(4294967295, -5, 3), "NETWORK")
    assert (view.reason, view.own_index, view.changed_members) == (s.CAUSED_BY_NETWORK, 1, ("#a#n",))
    assert view.members == ("#a#n", "#b#n")
    assert [(one.members, one.mine) for one in view.sets] == [(("#a#n",), False), (("#b#n",), True)]

    assert isinstance(transitional, s.TransitionalMessage)
    assert (transitional.reason, transitional.group_id) == (0, s.GroupId(4294967295, -5, 3))
    assert (transitional.members, transitional.changed_members) == ((), ())
    assert isinstance(left, s.SelfLeaveMessage)
    assert (left.reason, left.group_id) == (s.CAUSED_BY_LEAVE, None)
    assert isinstance(rejected, s.RejectedMessage)
    assert (rejected.operation, rejected.service_type, rejected.service_type_name) == ("JOIN", 0, None)
    assert isinstance(lost, s.ConnectionLost)
    assert (lost.private_group, lost.groups, lost.spread_code) == ("#a#n", ("g",), -8)
    assert isinstance(restored, s.ConnectionRestored)
    assert (restored.previous_private_group, restored.private_group, restored.daemon) == ("#a#n", "#a#o", "4803@o")
    for one in decoded.events:
        assert repr(one).startswith(f"{type(one).__name__}(sequence={one.sequence}, ")
        assert not hasattr(one, "__dict__")


def test_duplicates_are_discarded_and_gaps_are_reported() -> None:
    def batch(*sequences: int) -> pb.EventBatch:
        return pb.EventBatch(events=[event_pb2.Event(sequence=n, self_leave=event_pb2.SelfLeave()) for n in sequences])

    decoded = decode_batch(batch(3, 4, 5, 6), 4)
    assert ([event.sequence for event in decoded.events], decoded.last, decoded.gap) == ([5, 6], 6, None)
    decoded = decode_batch(batch(1, 3), 0)
    assert ([event.sequence for event in decoded.events], decoded.last, decoded.gap) == ([1], 1, 3)


def test_group_ids_are_compared_by_their_words() -> None:
    assert s.GroupId(1, 2, 3) == s.GroupId(1, 2, 3)
    assert s.GroupId(1, 2, 3) != s.GroupId(1, 2, 4)
    assert len({s.GroupId(1, 2, 3), s.GroupId(1, 2, 3)}) == 1
    assert str(s.GroupId(1, -2, 3)) == "1 -2 3"


def test_constants_and_predicates_are_those_of_the_header() -> None:
    assert s.REGULAR_MESS == 0x3F
    assert s.spread_error_name(-14) == "ILLEGAL_GROUP"
    assert s.spread_error_name(5) is None
    assert all(getattr(s, name) == number for name, number in s.SPREAD_ERRORS.items())
    assert set(constants.__all__ + predicates.__all__) <= set(s.__all__)
    assert s.is_safe_mess(s.SAFE_MESS | s.SELF_DISCARD)
    assert s.is_regular_mess(s.FIFO_MESS)
    assert not s.is_regular_mess(s.FIFO_MESS | s.REJECT_MESS)
    assert s.is_membership_mess(s.REG_MEMB_MESS | s.CAUSED_BY_JOIN)
    assert s.is_self_leave(s.CAUSED_BY_LEAVE)
    assert not s.is_self_leave(s.CAUSED_BY_LEAVE | s.REG_MEMB_MESS)


def test_malformed_details_hide_neither_the_status_nor_the_message() -> None:
    error = to_spread_error("INTERNAL", "sentence", (("grpc-status-details-bin", b"\xff\xff"),), send=True)
    assert (error.status, error.message, error.reason, error.outcome) == ("INTERNAL", "sentence", "", "unknown")


def test_durations() -> None:
    duration = to_duration(1.25, "x")
    assert duration is not None
    assert (duration.seconds, duration.nanos, to_seconds(duration)) == (1, 250_000_000, 1.25)
    assert to_duration(None, "x") is None
    with pytest.raises(TypeError):
        to_duration("1", "x")  # type: ignore[arg-type]


def test_a_wait_for_the_sidecar_names_the_last_failure_and_not_its_own_deadline() -> None:
    now = 0.0
    wait = ReadyWait("here:1", 0.01, daemon=False, clock=lambda: now)
    wait.failed(s.SpreadError("refused", status="UNAVAILABLE"))
    wait.failed(s.SpreadError("Deadline Exceeded", status="DEADLINE_EXCEEDED"))
    assert wait.remaining() == 0.01
    now = 0.01
    with pytest.raises(s.SpreadError) as caught:
        wait.remaining()
    assert caught.value.message == "the sidecar at here:1 was not ready within 0.01 s: refused"


def test_a_wait_for_the_sidecar_ends_with_other_errors() -> None:
    wait = ReadyWait("here:1", 10, daemon=False)
    with pytest.raises(s.SpreadError) as caught:
        wait.failed(s.SpreadError("of the sidecar", status="UNAUTHENTICATED"))
    assert caught.value.status == "UNAUTHENTICATED"


CUT = s.SpreadError("cut", status="UNAVAILABLE")
EXPIRED = s.SpreadError("over", status="ABORTED", reason="LEASE_EXPIRED", metadata={"last_sequence": "2"})
ATTACHED = pb.ReceiveResponse(attached=pb.ReceiveAttached(next_sequence=1))


def _receive_rules(clock: Callable[[], float], heartbeat_interval: float = 10, lease: float = 30) -> ReceiveRules:
    plan = ReceivePlan("m", 0, 0, 0, heartbeat_interval, lease)
    rules = ReceiveRules(plan, is_transport_failure, clock=clock)
    rules.begin()
    rules.opened()
    return rules


def test_a_stream_is_silent_after_three_heartbeat_intervals() -> None:
    now = 0.0
    rules = _receive_rules(lambda: now)
    now = 5.0
    rules.take(ATTACHED)
    now = 34.0
    assert rules.silent_in() == 1
    assert rules.holds_lease
    # The time of a pause does not count.
    rules.pause()
    assert not rules.holds_lease
    now = 100.0
    assert rules.silent_in() == 30
    rules.resume()
    now = 129.0
    assert rules.silent_in() == 1
    rules.take(pb.ReceiveResponse(heartbeat=pb.Heartbeat()))
    assert rules.silent_in() == 30
    silence = rules.silence()
    assert (silence.status, silence.message) == ("UNAVAILABLE", "the sidecar sent no frame for 30 s")


def test_an_attached_stream_without_heartbeats_is_never_silent() -> None:
    now = 0.0
    rules = _receive_rules(lambda: now, heartbeat_interval=0)
    assert rules.silent_in() == 30
    rules.take(ATTACHED)
    assert rules.silent_in() is None


def test_last_events_are_fetched_until_the_sidecar_is_unreachable_for_two_seconds() -> None:
    now = 0.0
    # The lease is shorter, but it does not count after the end of the mailbox.
    rules = _receive_rules(lambda: now, lease=1)
    now = 0.9
    assert not rules.broken(CUT).ended
    assert not rules.fetching_rest
    # The sidecar responds: the time starts.
    assert not rules.broken(EXPIRED).ended
    assert rules.fetching_rest
    now = 2.8
    assert not rules.broken(CUT).ended
    now = 3.0
    last = rules.broken(CUT)
    assert last.ended and last.error is not None
    assert (last.error.reason, last.error.metadata["received_sequence"]) == ("LEASE_EXPIRED", "0")


@pytest.mark.parametrize(
    ("reason", "end", "is_cancelled", "fails"),
    [
        ("FIELD_INVALID", "", False, True),
        ("FIELD_INVALID", "RECEIVER_REPLACED", False, True),
        ("FIELD_INVALID", "LEASE_EXPIRED", False, False),
        ("", "", False, False),
        ("", "", True, True),
        ("", "LEASE_EXPIRED", True, False),
    ],
)
def test_a_disconnect_fails_unless_the_mailbox_has_ended(reason: str, end: str, is_cancelled: bool, fails: bool) -> None:
    error = s.SpreadError("", status="CANCELLED", reason=reason)
    receive_end = s.SpreadError("", status="ABORTED", reason=end) if end else None
    assert is_failed_disconnect(error, receive_end, is_cancelled) == fails


def test_a_failed_sender_writes_no_frame() -> None:
    window = SendWindow(100, 0, 1000)
    message = to_outgoing(s.FIFO_MESS, ("g",), b"", 0, False)
    window.add(message)
    window.flush()
    assert window.next_frame() == ([message], True)
    assert window.next_frame() is None
    window.add(message)
    assert window.fail(CUT)
    window.flush()
    assert not window.has_frame
    assert window.next_frame() is None


def _events(count: int, size: int = 0) -> Any:
    return [s.RegularMessage(n, 0, "", (), 0, 0, bytes(size), False, 0) for n in range(1, count + 1)]


def test_a_buffer_is_full_at_either_bound_and_roomy_at_half_of_both() -> None:
    buffer = EventBuffer(4, 100_000)
    buffer.push(_events(3))
    assert not buffer.full
    buffer.push(_events(1))
    assert buffer.full
    buffer.pop()
    assert not buffer.has_room
    assert [event.sequence for event in buffer.pop_many(1)] == [2]
    assert buffer.has_room
    buffer.push(_events(1, 100_000))
    assert buffer.full
    assert len(buffer.pop_many(10)) == 3
    assert (len(buffer), buffer.full, buffer.has_room) == (0, False, True)


def test_timers_run_in_order_and_end() -> None:
    timers = Timers()
    done: list[int] = []

    def fail() -> None:
        raise ValueError("of a timer")

    timers.after(0.05, lambda: done.append(2))
    timers.after(0.01, lambda: done.append(1))
    timers.after(0.02, fail)
    timers.after(0.01, lambda: done.append(3)).cancel()
    timers.after(1e12, lambda: done.append(4))
    until(lambda: done == [1, 2], "both are done")
    timers.close()
    timers.after(0, lambda: done.append(5))
    assert done == [1, 2]


def test_a_cancellation_calls_back_once() -> None:
    calls: list[int] = []
    cancellation = s.Cancellation()
    cancellation.on_cancel(lambda: calls.append(1))
    cancellation.on_cancel(lambda: calls.append(2))()
    cancellation.cancel()
    cancellation.cancel()
    cancellation.on_cancel(lambda: calls.append(3))
    assert calls == [1, 3]
    assert cancellation.cancelled


@pytest.mark.parametrize(
    ("sentence", "field", "expected"),
    [
        ("daemon has 300 bytes", "daemon", "spread_name has 300 bytes"),
        ("daemons differ", "daemon", "daemons differ"),
        ("private_name has 11 bytes", "private_name", "private_name has 11 bytes"),
        ("no field", "", "no field"),
    ],
)
def test_a_sentence_names_the_field_as_the_option_does(sentence: str, field: str, expected: str) -> None:
    info = rich_status_pb2.ErrorInfo(reason="FIELD_INVALID", domain="spread-sidecar", metadata={"field": field})
    status = rich_status_pb2.RichStatus()
    status.details.add().Pack(info)
    status.details[0].type_url = "type.googleapis.com/google.rpc.ErrorInfo"
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    assert to_spread_error("INVALID_ARGUMENT", sentence, trailers).message == expected
