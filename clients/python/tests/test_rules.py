"""Runs all examples of test/conformance/rules against the rules of this client."""

from __future__ import annotations

from typing import Any, Callable, Optional

import pytest
from fake_sidecar import attached, batch, heartbeat
from google.protobuf.any_pb2 import Any as ProtoAny
from rule_examples import Json, Members, examples_of, file_names

import spread_sidecar as s
from spread_sidecar._core.outgoing import to_outgoing
from spread_sidecar._core.rich_status import to_spread_error
from spread_sidecar._core.rules import failures
from spread_sidecar._core.rules.acknowledgement import AcknowledgementRules
from spread_sidecar._core.rules.backoff import Backoff, ready_backoff
from spread_sidecar._core.rules.lease import LeaseRules
from spread_sidecar._core.rules.receiving import ReceivePlan, ReceiveRules, Verdict
from spread_sidecar._core.rules.send_window import SendWindow
from spread_sidecar.gen.spread.sidecar.internal.v1.rich_status_pb2 import ErrorInfo, RetryInfo, RichStatus
from spread_sidecar.gen.spread.sidecar.v1 import event_pb2
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb

Runner = Callable[[Members], None]


class Clock:
    """A clock in milliseconds that an example controls."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> float:
        return self.now_ms / 1000

    def advance(self, step: Members) -> None:
        """Advances to the time of a step, if the step has one."""
        self.now_ms = step.get("atMs", self.now_ms)


def largest() -> float:
    """A draw with which each pause is its maximum."""
    return 1.0


def to_ms(seconds: Optional[float]) -> Any:
    return None if seconds is None else pytest.approx(seconds * 1000)


def to_error(members: Json) -> s.SpreadError:
    error = Members(members)
    result = s.SpreadError(
        "of the example",
        status=error.take("status"),
        reason=error.get("reason", ""),
        metadata=error.get("metadata"),
        retryable=error.get("retryable", False),
    )
    error.end()
    return result


def run_backoff(example: Members) -> None:
    draw = 0.0
    kinds: dict[str, Callable[[Callable[[], float]], Backoff]] = {"stream": Backoff, "ready": ready_backoff}
    backoff = kinds[example.take("kind")](lambda: draw)
    for step in map(Members, example.take("steps")):
        if step.get("reset"):
            backoff.reset()
        else:
            draw = step.take("draw")
            assert backoff.next() * 1000 == pytest.approx(step.take("pauseMs"))
        step.end()


def run_failures(example: Members) -> None:
    error = to_error(example.take("error"))
    token_may_change = example.get("tokenMayChange", False)

    def may_pass(error: s.SpreadError) -> bool:
        return failures.may_pass(error, token_may_change)

    acknowledgements = AcknowledgementRules(may_pass)
    acknowledgements.request(1)
    failed = acknowledgements.failed(error)
    assert failed.error in (None, error)
    acknowledgement = "repeat" if failed.pause is not None else "stop" if failed.error is None else "fail"

    expect = Members(example.take("expect"))
    assert failures.is_transport_failure(error) == expect.take("transportFailure")
    assert may_pass(error) == expect.take("mayPass")
    assert failures.ends_stream_only(error) == expect.take("endsStreamOnly")
    assert failures.has_mailbox_ended(error) == expect.take("mailboxEnded")
    assert ("error" if failures.is_failed_disconnect(error, None, False) else False) == expect.take("disconnectReturns")
    assert acknowledgement == expect.take("acknowledgement")
    expect.end()


def run_calls(example: Members) -> None:
    details = RichStatus()
    given = example.take("info")
    if given is not None:
        info = Members(given)
        content = ErrorInfo(reason=info.take("reason"), metadata=info.take("metadata"))
        info.end()
        details.details.append(ProtoAny(type_url="x/google.rpc.ErrorInfo", value=content.SerializeToString()))
    if example.take("hasRetryInfo"):
        details.details.append(ProtoAny(type_url="x/google.rpc.RetryInfo", value=RetryInfo().SerializeToString()))
    form = example.get("details")
    assert form in (None, "malformed")
    trailer = b"\xff\xff" if form else details.SerializeToString()
    error = to_spread_error(example.take("status"), "", (("grpc-status-details-bin", trailer),), send=True)
    expect = Members(example.take("expect"))
    assert error.retryable == expect.take("retryable")
    assert error.outcome == expect.take("outcome")
    assert error.reason == expect.take("reason")
    expect.end()


class ReceiveExample:
    """An example of ``receive.json``."""

    def __init__(self, options: Members) -> None:
        token_may_change = options.get("tokenMayChange", False)
        plan = ReceivePlan(
            mailbox_id="m",
            after_sequence=int(options.take("afterSequence")),
            max_outstanding_events=0,
            max_outstanding_bytes=0,
            heartbeat_interval=options.take("heartbeatIntervalMs") / 1000,
            give_up_after=options.take("leaseMs") / 1000,
        )
        options.end()
        self.clock = Clock()
        self.rules = ReceiveRules(
            plan, lambda error: failures.may_pass(error, token_may_change), clock=self.clock, draw=largest
        )
        self.rules.begin()

    def run(self, step: Members) -> None:
        self.clock.advance(step)
        if "opens" in step:
            self._open(Members(step.take("opens")))
        elif "fails" in step:
            self._check_verdict(self.rules.broken(to_error(step.take("fails"))), step)
        elif "closes" in step:
            assert step.take("closes") is True
            self._check_verdict(self.rules.closed(), step)
        else:
            self._take(step)
        if "last" in step:
            assert self.rules.last_sequence == int(step.take("last"))
        step.end()

    def _open(self, expect: Members) -> None:
        assert self.rules.request().after_sequence == int(expect.take("afterSequence"))
        self.rules.opened()
        limit_ms = expect.take("attachLimitMs")
        assert self.rules.attach_limit * 1000 == pytest.approx(limit_ms)
        # The watchdog uses this limit.
        assert to_ms(self.rules.silent_in()) == limit_ms
        expect.end()

    def _take(self, step: Members) -> None:
        expected: list[int] = []
        if "attached" in step:
            frame = attached(int(step.take("attached")))
        elif "heartbeat" in step:
            frame = heartbeat(int(step.take("heartbeat")))
        elif "unknownFrame" in step:
            assert step.take("unknownFrame") is True
            frame = pb.ReceiveResponse()
        else:
            frame = batch(*map(int, step.take("events")))
            unknown = {int(sequence) for sequence in step.get("unknownKinds", [])}
            for event in frame.batch.events:
                if event.sequence in unknown:
                    event.CopyFrom(event_pb2.Event(sequence=event.sequence))
            expected = [int(sequence) for sequence in step.take("taken")]
        received = self.rules.take(frame)
        assert [event.sequence for event in received.events] == expected
        if "end" in step:
            self._check_end(received.failure, step.take("end"))
        else:
            assert received.failure is None

    def _check_verdict(self, verdict: Verdict, step: Members) -> None:
        assert (verdict.detached is not None) == step.get("detached", False)
        assert verdict.ended == ("end" in step)
        if verdict.ended:
            self._check_end(verdict.error, step.take("end"))
        else:
            assert verdict.pause * 1000 == pytest.approx(step.take("pauseUpToMs"))

    def _check_end(self, error: Optional[s.SpreadError], expected: Optional[Json]) -> None:
        if expected is None:
            assert error is None
            return
        assert error is not None
        end = Members(expected)
        assert error.status == end.take("status")
        assert error.reason == end.take("reason")
        assert error.metadata == end.take("metadata")
        assert end.get("message", "") in error.message
        end.end()


def run_receive(example: Members) -> None:
    receive = ReceiveExample(Members(example.take("options")))
    for step in map(Members, example.take("steps")):
        receive.run(step)


def run_lease(example: Members) -> None:
    clock = Clock()
    rules = LeaseRules(example.take("leaseMs") / 1000, clock)
    assert rules.interval * 1000 == pytest.approx(example.take("checkEveryMs"))
    for step in map(Members, example.take("steps")):
        clock.advance(step)
        if step.get("used"):
            rules.used()
        else:
            assert rules.is_due(step.get("attached", False)) == step.take("renews")
        step.end()


def run_acknowledgement(example: Members) -> None:
    rules = AcknowledgementRules(lambda error: failures.may_pass(error, False), largest)
    open_call = 0
    for step in map(Members, example.take("steps")):
        sends: Optional[int] = None
        if "request" in step:
            sends = rules.request(step.take("request"))
        elif "succeeds" in step:
            assert step.take("succeeds") is True
            sends = rules.succeeded(open_call)
        elif "pauseEnds" in step:
            assert step.take("pauseEnds") is True
            sends = rules.retry()
        elif "closes" in step:
            assert step.take("closes") is True
            rules.close()
        else:
            error = to_error(step.take("fails"))
            failed = rules.failed(error)
            if "stops" in step:
                assert failed.pause is None
                assert failed.error is {"silently": None, "withError": error}[step.take("stops")]
            else:
                assert to_ms(failed.pause) == step.take("pauseUpToMs")
                assert failed.error is None
        # A call starts exactly in the steps that say so.
        assert sends == step.get("sends")
        open_call = sends or open_call
        step.end()


class SenderExample:
    """An example of ``sender.json``."""

    def __init__(self, options: Members) -> None:
        self.window = SendWindow(
            options.take("maxInFlightMessages"), options.take("maxInFlightBytes"), options.take("maxBatchBytes")
        )
        options.end()

    def run(self, step: Members) -> None:
        window = self.window
        if "sends" in step:
            self._send(Members(step.take("sends")))
        elif "writes" in step:
            self._write([step.take("writes")], flushes=False)
        elif "flush" in step:
            expect = Members(step.take("flush"))
            window.flush()
            self._write(expect.take("frames"), flushes=True)
            expect.end()
        elif "response" in step:
            self._respond(Members(step.take("response")), step)
        elif "fails" in step:
            assert window.outcome_of(to_error(step.take("fails"))) == step.take("outcome")
        elif "closing" in step:
            assert step.take("closing") is True
            window.closing = True
        else:
            assert step.take("closes") is True
            self._check_end(window.ended_early(), step.take("end"))
        if "full" in step:
            assert window.full == step.take("full")
        step.end()

    def _send(self, sends: Members) -> None:
        payload = bytes(sends.take("payloadBytes"))
        message = to_outgoing(
            s.FIFO_MESS, ("g",) * sends.get("groups", 1), payload, 0, False, sends.get("headers")
        )
        for _ in range(sends.get("times", 1)):
            self.window.add(message)
        sends.end()

    def _write(self, frames: list[Json], flushes: bool) -> None:
        """Writes these frames. A flush writes no others."""
        for members in frames:
            expect = Members(members)
            assert self.window.has_frame
            frame = self.window.next_frame()
            assert frame is not None
            assert (len(frame.messages), frame.respond) == (expect.take("messages"), expect.take("respond"))
            expect.end()
        if flushes:
            assert not self.window.has_frame
            assert self.window.next_frame() is None

    def _respond(self, response: Members, step: Members) -> None:
        answer = pb.MulticastStreamResponse(decided=response.take("decided"), accepted=response.take("accepted"))
        response.end()
        if "end" in step:
            with pytest.raises(s.SpreadError) as caught:
                self.window.answered(answer)
            self._check_end(caught.value, step.take("end"))
            return
        self.window.answered(answer)
        assert self.window.progress.decided == answer.decided
        assert self.window.progress.accepted == answer.accepted
        assert self.window.in_flight == len(self.window.undecided) == step.take("inFlight")

    def _check_end(self, error: Optional[s.SpreadError], expected: Optional[Json]) -> None:
        if expected is None:
            assert error is None
            return
        assert error is not None
        end = Members(expected)
        assert (error.status, error.outcome) == (end.take("status"), end.take("outcome"))
        end.end()


def run_sender(example: Members) -> None:
    sender = SenderExample(Members(example.take("options")))
    for step in map(Members, example.take("steps")):
        sender.run(step)


RUNNERS: dict[str, Runner] = {
    "acknowledgement.json": run_acknowledgement,
    "backoff.json": run_backoff,
    "calls.json": run_calls,
    "failures.json": run_failures,
    "lease.json": run_lease,
    "receive.json": run_receive,
    "sender.json": run_sender,
}


def _parameters() -> list[Any]:
    return [
        pytest.param(file_name, example, id=f"{file_name}: {example['name']}")
        for file_name in RUNNERS
        for example in examples_of(file_name)
    ]


def test_every_file_with_examples_has_a_runner() -> None:
    assert file_names() == set(RUNNERS)


@pytest.mark.parametrize(("file_name", "members"), _parameters())
def test_the_client_follows_each_example(file_name: str, members: Json) -> None:
    example = Members(members)
    assert example.take("name")
    assert example.take("rules")
    RUNNERS[file_name](example)
    example.end()
