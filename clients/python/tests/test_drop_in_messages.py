"""The results of the drop-in module's receive, attribute by attribute, for events of the sidecar."""

from __future__ import annotations

from typing import Callable, Iterator, Sequence, Union

import pytest
from fake_sidecar import FakeSidecar, attached

import spread
from spread_sidecar.gen.spread.sidecar.v1 import event_pb2, types_pb2
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb

Message = Union[spread.RegularMsgType, spread.MembershipMsgType]
Receive = Callable[[event_pb2.Event], Message]

MEMBERS = ("#a#one", "#b#one", "#c#two")


@pytest.fixture
def receive(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receive]:
    """Returns the result of ``receive`` for an event, with a new mailbox each time."""
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    boxes: list[spread.MailboxType] = []

    def one(event: event_pb2.Event) -> Message:
        event.sequence = 1

        def script(request: pb.ReceiveRequest, context: object) -> Iterator[pb.ReceiveResponse]:
            yield attached(1)
            yield pb.ReceiveResponse(batch=pb.EventBatch(events=[event]))
            fake.over.wait(10)

        fake.scripts = [script]
        boxes.append(spread.connect())
        return boxes[-1].receive()

    yield one
    for box in boxes:
        box.disconnect()


def group_id(index: int = -1) -> types_pb2.GroupId:
    return types_pb2.GroupId(daemon_id=0xFFFFFFFE, time=5, index=index)


def view(
    cause: event_pb2.MembershipCause, changed: Sequence[str], sets: Sequence[tuple[Sequence[str], bool]]
) -> event_pb2.Event:
    return event_pb2.Event(
        membership_view=event_pb2.MembershipView(
            group="g",
            group_id=group_id(),
            cause=cause,
            members=MEMBERS,
            changed_members=changed,
            virtual_synchrony_sets=[event_pb2.VirtualSynchronySet(members=m, mine=mine) for m, mine in sets],
        )
    )


def test_a_regular_message(receive: Receive) -> None:
    message = receive(
        event_pb2.Event(
            regular_message=event_pb2.RegularMessage(
                sender="#a#one",
                groups=["g", "h"],
                message_type=-32768,
                payload=b"x",
                endian_mismatch=True,
                spread_type=8,
            )
        )
    )
    assert type(message) is spread.RegularMsgType
    assert (message.sender, message.groups, message.message) == ("#a#one", ("g", "h"), "x")
    assert (message.msg_type, message.endian) == (-32768, 1)
    assert not hasattr(message, "reason") and not hasattr(message, "members")


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (event_pb2.MEMBERSHIP_CAUSE_JOIN, spread.CAUSED_BY_JOIN),
        (event_pb2.MEMBERSHIP_CAUSE_LEAVE, spread.CAUSED_BY_LEAVE),
        (event_pb2.MEMBERSHIP_CAUSE_DISCONNECT, spread.CAUSED_BY_DISCONNECT),
    ],
)
def test_a_view_that_one_member_caused(receive: Receive, cause: event_pb2.MembershipCause, reason: int) -> None:
    message = receive(view(cause, ["#c#two"], [(["#c#two"], True)]))
    assert type(message) is spread.MembershipMsgType
    assert (message.reason, message.msg_subtype, message.group) == (reason, spread.REG_MEMB_MESS, "g")
    assert (message.members, message.extra, message.changed_member) == (MEMBERS, ("#c#two",), "#c#two")
    assert not hasattr(message, "message") and not hasattr(message, "sender")


def test_a_network_view_has_the_members_that_moved_together(receive: Receive) -> None:
    sets = [(["#a#one", "#b#one"], True), (["#c#two"], False)]
    message = receive(view(event_pb2.MEMBERSHIP_CAUSE_NETWORK, ["#c#two"], sets))
    assert type(message) is spread.MembershipMsgType
    assert (message.reason, message.members) == (spread.CAUSED_BY_NETWORK, MEMBERS)
    assert (message.extra, message.changed_member) == (("#a#one", "#b#one"), None)
    assert message.orig_members == (("#a#one", "#b#one"), ("#c#two",))


def test_a_transitional_signal(receive: Receive) -> None:
    signal = event_pb2.TransitionalSignal(group="g", group_id=group_id())
    message = receive(event_pb2.Event(transitional_signal=signal))
    assert type(message) is spread.MembershipMsgType
    assert (message.reason, message.msg_subtype, message.group) == (0, spread.TRANSITION_MESS, "g")
    assert (message.members, message.extra, message.changed_member) == ((), (), None)
    assert message.orig_members is None


def test_a_self_leave(receive: Receive) -> None:
    message = receive(event_pb2.Event(self_leave=event_pb2.SelfLeave(group="g")))
    assert type(message) is spread.MembershipMsgType
    assert (message.reason, message.msg_subtype, message.group) == (spread.CAUSED_BY_LEAVE, 0, "g")
    assert (message.members, message.extra, message.changed_member) == ((), (), None)
    assert message.orig_members is None


def test_a_rejected_message_has_an_unknown_type_as_in_the_wrapper(receive: Receive) -> None:
    refused = event_pb2.RejectedMessage(sender="#me#fake", groups=["g"], spread_type=0x400010)
    with pytest.raises(spread.SpreadError) as caught:
        receive(event_pb2.Event(rejected_message=refused))
    assert caught.value.args == ("Unknown message type: 4194320",)


def test_ids_of_memberships_are_equal_or_not(receive: Receive) -> None:
    def id_of(index: int) -> object:
        signal = event_pb2.TransitionalSignal(group="g", group_id=group_id(index))
        message = receive(event_pb2.Event(transitional_signal=signal))
        assert type(message) is spread.MembershipMsgType
        return message.group_id

    first, same, other = id_of(-1), id_of(-1), id_of(7)
    assert (first == same, first != same) == (True, False)
    assert (first == other, first != other) == (False, True)
    assert first != (0xFFFFFFFE, 5, -1) and first != "g"
    assert {first: 1}[same] == 1
    assert repr(first) == "<group_id FFFFFFFE:00000005:FFFFFFFF>"
    with pytest.raises(TypeError):
        assert first < other  # type: ignore[operator]


def test_payloads_may_be_bytes_where_names_are_text(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_CLIENT_TEXT", "names")
    payload = event_pb2.RegularMessage(sender="#a#one", groups=["g"], payload=b"x", spread_type=8)
    message = receive(event_pb2.Event(regular_message=payload))
    assert type(message) is spread.RegularMsgType
    assert (message.sender, message.message) == ("#a#one", b"x")


def test_names_keep_every_byte(receive: Receive) -> None:
    payload = event_pb2.RegularMessage(sender="#\u00e9#one", groups=["\u0001"], payload=b"\xc3\xa9\xff", spread_type=8)
    message = receive(event_pb2.Event(regular_message=payload))
    assert type(message) is spread.RegularMsgType
    assert (message.sender, message.groups, message.message) == ("#\xe9#one", ("\x01",), "\xe9\udcff")
