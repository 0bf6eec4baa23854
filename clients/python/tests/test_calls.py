"""Unary calls: deadlines, cancellation, errors, tokens and checks in the client."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from typing import Any, Iterator

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort, attached, batch, details

import spread_sidecar as s


@pytest.fixture
def sidecar(fake: FakeSidecar, no_thread_left: None) -> Iterator[s.SpreadSidecar]:
    with s.SpreadSidecar(target=fake.target) as sidecar:
        yield sidecar


def refused(call: Any) -> s.SpreadError:
    with pytest.raises(s.SpreadError) as caught:
        call()
    return caught.value


def test_an_error_has_all_details_of_the_sidecar(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def refuse(context: Any) -> None:
        trailer = details("RECONNECTING", retry=0.25, outcome="not-sent", field="x")
        context.set_trailing_metadata((("grpc-status-details-bin", trailer),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "no connection now")

    fake.on_multicast = refuse
    error = refused(lambda: sidecar.connect().multicast(s.SAFE_MESS, "g", b"x"))
    assert (error.status, error.reason, error.domain) == ("UNAVAILABLE", "RECONNECTING", "spread-sidecar")
    assert (error.code, error.number) == (None, None)
    assert error.metadata == {"outcome": "not-sent", "field": "x"}
    assert (error.retryable, error.retry_delay, error.outcome) == (True, 0.25, "not-sent")
    assert (error.message, str(error)) == ("no connection now", "RECONNECTING: no connection now")
    assert isinstance(error.grpc_error, grpc.RpcError)
    assert error.__cause__ is None and error.__suppress_context__
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason, copy.metadata, copy.outcome, copy.retry_delay) == (
        error.reason,
        error.metadata,
        error.outcome,
        error.retry_delay,
    )


@pytest.mark.parametrize(
    ("code", "reason", "outcome"),
    [
        (grpc.StatusCode.UNAVAILABLE, "", "unknown"),
        (grpc.StatusCode.INTERNAL, "INTERNAL", "unknown"),
        (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", "not-sent"),
        (grpc.StatusCode.PERMISSION_DENIED, "", "not-sent"),
    ],
)
def test_a_failed_send_has_an_outcome(
    fake: FakeSidecar, sidecar: s.SpreadSidecar, code: grpc.StatusCode, reason: str, outcome: str
) -> None:
    fake.on_multicast = lambda context: abort(context, code, reason)
    assert refused(lambda: sidecar.connect().multicast(s.SAFE_MESS, "g", b"x")).outcome == outcome


def test_calls_have_a_deadline_and_can_be_cancelled(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    fake.on_multicast = fake.idle
    mailbox = sidecar.connect()
    error = refused(lambda: mailbox.multicast(s.SAFE_MESS, "g", b"x", timeout=0.05))
    assert (error.status, error.outcome) == ("DEADLINE_EXCEEDED", "unknown")
    cancellation = s.Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    error = refused(lambda: mailbox.multicast(s.SAFE_MESS, "g", b"x", cancel=cancellation))
    assert (error.status, error.outcome) == ("CANCELLED", "unknown")
    error = refused(lambda: mailbox.multicast(s.SAFE_MESS, "g", b"x", cancel=cancellation))
    assert (error.status, error.outcome) == ("CANCELLED", "not-sent")
    with s.SpreadSidecar(target=fake.target, call_timeout=0.05) as hasty:
        error = refused(lambda: hasty.attach("m" * 32).multicast(s.SAFE_MESS, "g", b"x"))
        assert error.status == "DEADLINE_EXCEEDED"


def test_closing_ends_calls_and_makes_no_further_ones(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    fake.on_multicast = fake.idle
    mailbox = sidecar.connect()
    threading.Timer(0.1, lambda: sidecar.close(keep_mailboxes=True)).start()
    assert refused(lambda: mailbox.multicast(s.SAFE_MESS, "g", b"x")).status == "CANCELLED"
    error = refused(lambda: mailbox.multicast(s.SAFE_MESS, "g", b"x"))
    assert (error.code, error.outcome) == ("ILLEGAL_SESSION", "not-sent")
    assert refused(sidecar.version).status == "CANCELLED"


def test_invalid_arguments_are_rejected_before_sending(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    mailbox = sidecar.connect()
    cases: list[tuple[Any, str]] = [
        (lambda: sidecar.connect(lease=-1), "lease"),
        (lambda: sidecar.connect(lease=float("nan")), "lease"),
        (lambda: sidecar.connect(on_name_conflict="NO"), "on_name_conflict"),  # type: ignore[arg-type]
        (lambda: sidecar.connect(auth="NO"), "auth"),  # type: ignore[arg-type]
        (lambda: sidecar.connect(priority=-1), "priority"),
        (lambda: sidecar.connect(queue=s.QueueOptions(max_events=-1)), "queue.max_events"),
        (lambda: sidecar.connect(queue=s.QueueOptions(soft_limit=s.SoftLimit(2))), "queue.soft_limit.fraction"),
        (lambda: sidecar.connect(reconnect=s.ReconnectOptions(give_up_after=-1)), "reconnect.give_up_after"),
        (lambda: sidecar.connect(manual_acknowledgement="NO"), "manual_acknowledgement"),  # type: ignore[arg-type]
        (lambda: sidecar.connect(private_name="\ud800"), "private_name"),
        (lambda: sidecar.attach("m", after_sequence=-1), "after_sequence"),
        (lambda: mailbox.join("\ud800"), "group"),
        (lambda: mailbox.acknowledge(-1), "up_to"),
        (lambda: mailbox.receive(-1), "timeout"),
        (lambda: mailbox.join("g", timeout=0), "timeout"),
        (lambda: mailbox.receive_many(0), "max_events"),
        (lambda: s.SpreadSidecar(call_timeout=0), "call_timeout"),
        (lambda: s.SpreadSidecar(connection_keep_alive=-1), "connection_keep_alive"),
        (lambda: s.SpreadSidecar(headers={"x y": "1"}), "headers"),
        (lambda: s.SpreadSidecar(headers={"x": "\n"}), "headers.x"),
    ]
    for call, field in cases:
        error = refused(call)
        assert (error.status, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
        assert error.metadata["field"] == field
        assert error.outcome == "not-sent"
    for wrong in (
        lambda: sidecar.connect(name="alice"),  # type: ignore[call-arg]
        lambda: s.SpreadSidecar(port=4813),  # type: ignore[call-arg]
        lambda: mailbox.join(5),  # type: ignore[arg-type]
        lambda: mailbox.multicast("5", "g", b""),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            wrong()


def test_a_token_is_asked_for_before_each_call(fake: FakeSidecar) -> None:
    tokens = iter(["one", " two\n"])
    with s.SpreadSidecar(target=fake.target, token=lambda: next(tokens), headers={"X-Trace": "7"}) as sidecar:
        sidecar.version()
        sidecar.version()
        assert fake.tokens == ["Bearer one", "Bearer two"]
        error = refused(sidecar.version)
        assert (error.status, error.outcome) == ("UNAUTHENTICATED", "not-sent")
        assert "the token is not available" in error.message


def test_a_receive_attaches_again_with_a_new_token(fake: FakeSidecar) -> None:
    def withdrawn(request: Any, context: Any) -> Any:
        yield attached(1)
        abort(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")

    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    fake.scripts = [withdrawn, gives]
    with s.connect(target=fake.target, token=lambda: "fresh") as mailbox:
        assert mailbox.receive(10).sequence == 1
    fake.attaches.clear()
    fake.over.clear()
    with s.connect(target=fake.target, token="constant") as mailbox:
        assert refused(lambda: mailbox.receive(10)).reason == "CREDENTIAL_INVALID"


@pytest.mark.parametrize("target", ["sidecar.example:4813", "10.0.0.1:4813", "[2001:db8::1]:4813", "dns:///other:1"])
def test_a_token_is_never_sent_in_clear_to_another_machine(target: str) -> None:
    error = refused(lambda: s.SpreadSidecar(target=target, token="secret"))
    assert error.metadata["field"] == "token"
    assert refused(lambda: s.SpreadSidecar(target=target, headers={"Authorization": "x"})).reason == "FIELD_INVALID"
    with s.SpreadSidecar(target=target) as sidecar:
        assert refused(lambda: list(sidecar.list_mailboxes("admin"))).metadata["field"] == "admin_token"
    s.SpreadSidecar(target=target, token="secret", insecure=True).close()
    s.SpreadSidecar(target=target, token="secret", tls=True).close()


@pytest.mark.parametrize("target", ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/tmp/x", "dns:///localhost:1"])
def test_a_token_may_stay_on_this_machine(target: str) -> None:
    s.SpreadSidecar(target=target, token="secret").close()


def test_tls_wants_cert_and_key_together() -> None:
    assert refused(lambda: s.SpreadSidecar(tls=s.TlsOptions(cert="x"))).metadata["field"] == "tls"


def test_waits_for_a_sidecar_that_is_starting(fake: FakeSidecar) -> None:
    with s.SpreadSidecar(target=fake.target) as sidecar:
        sidecar.wait_for_ready(5)
        # The fake sidecar has no daemon.
        error = refused(lambda: sidecar.wait_for_ready(1.0, daemon=True))
        assert (error.status, "not connected to its daemon" in error.message) == ("DEADLINE_EXCEEDED", True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with s.SpreadSidecar(target=f"127.0.0.1:{port}") as sidecar:
        begin = time.monotonic()
        error = refused(lambda: sidecar.wait_for_ready(0.3))
        assert error.status == "DEADLINE_EXCEEDED"
        assert time.monotonic() - begin < 5
        error = refused(sidecar.version)
        assert (error.status, error.reason, error.retryable) == ("UNAVAILABLE", "SIDECAR_UNREACHABLE", True)


def test_a_disconnect_without_a_sidecar_closes_this_side(fake: FakeSidecar, no_thread_left: None) -> None:
    sidecar = s.SpreadSidecar(target=fake.target)
    mailbox = sidecar.connect(auto_receive=True)
    fake.scripts = [lambda request, context: iter([attached(1)])]
    fake.stop()
    for _ in range(2):
        assert mailbox.disconnect() is False
    assert refused(lambda: mailbox.receive(1)).code == "ILLEGAL_SESSION"
    sidecar.close()
    sidecar.close()


def test_a_disconnect_that_its_caller_cancels_fails(sidecar: s.SpreadSidecar) -> None:
    mailbox = sidecar.connect()
    cancellation = s.Cancellation()
    cancellation.cancel()
    assert refused(lambda: mailbox.disconnect(cancel=cancellation)).status == "CANCELLED"


def test_a_join_that_waits_for_a_view_fails_without_a_view(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    mailbox = sidecar.connect()
    view = mailbox.join("g", await_view=True)
    assert view is not None and view.group == "g"
    fake.omits_view = True
    error = refused(lambda: mailbox.join("g", await_view=True))
    assert (error.status, error.message) == ("INTERNAL", "the response of Join has no view")
    assert mailbox.join("g") is None
    assert mailbox.leave("g", await_view=True) is None


def test_leaving_a_block_keeps_the_reason_of_its_body(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    def refuse(context: Any) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", details("DRAINING")),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "the sidecar is shutting down")

    fake.on_multicast = refuse
    with pytest.raises(s.SpreadError) as caught, sidecar.connect() as mailbox:
        fake.stop()
        mailbox.multicast(s.SAFE_MESS, "g", b"x")
    assert caught.value.__context__ is None or not isinstance(caught.value.__context__, s.SpreadError)


def test_leaving_a_block_raises_nothing_without_a_sidecar(fake: FakeSidecar, sidecar: s.SpreadSidecar) -> None:
    with sidecar.connect():
        fake.stop()
