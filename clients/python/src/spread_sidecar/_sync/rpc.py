"""The channel with a deadline for each call and SpreadError for failures."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Optional, Sequence

import grpc

from .._core.calls import Call, ResultT
from .._core.channel import ChannelPlan
from .._core.local_errors import cancelled_error, channel_closed, check_timeout
from .._core.methods import MULTICAST_STREAM, RECEIVE, UnaryMethod
from .._core.rich_status import to_spread_error
from .._core.rules import failures
from .._core.security import to_authorization, token_unavailable
from .._core.unreachable import Endpoint
from ..cancellation import Cancellation
from ..errors import SendOutcome, SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..options import TokenSource

Headers = Sequence[tuple[str, str]]


def convert(
    error: Any, endpoint: Endpoint, *, send: bool = False, outcome: Optional[SendOutcome] = None
) -> SpreadError:
    """Converts an exception of gRPC."""
    converted = to_spread_error(
        error.code().name,
        error.details() or "",
        error.trailing_metadata() or (),
        endpoint=endpoint,
        send=send,
        outcome=outcome,
    )
    converted.grpc_error = error
    return converted


class Rpc:
    """A channel."""

    def __init__(self, plan: ChannelPlan, token: Optional[TokenSource]) -> None:
        # The receiving thread itself reads the stream, which saves a thread switch for each frame.
        arguments = [("SingleThreadedUnaryStream", 1), *plan.arguments]
        credentials = plan.security.credentials
        self._channel: grpc.Channel = (
            grpc.insecure_channel(plan.grpc_target, arguments)
            if credentials is None
            else grpc.secure_channel(plan.grpc_target, credentials, arguments)
        )
        #: The endpoint of its calls.
        self.endpoint = plan.endpoint
        self._call_timeout = plan.call_timeout
        self._headers = plan.headers
        self._token = token
        self._closed = False
        self._methods: dict[str, Any] = {}

    def may_pass(self, error: SpreadError) -> bool:
        """Whether a later call with the same mailbox may succeed.

        A token that is read again before each call may change.
        """
        return failures.may_pass(error, callable(self._token))

    def call(
        self, call: Call[ResultT], timeout: Optional[float] = None, cancel: Optional[Cancellation] = None
    ) -> ResultT:
        """Makes one unary call."""
        check_timeout(timeout)
        if cancel is not None and cancel.cancelled:
            raise cancelled_error("cancelled before the call was made", "not-sent" if call.send else None)
        metadata = self._metadata(call.headers)
        bound = self._call_timeout if timeout is None else timeout
        try:
            if cancel is None:
                answer = self._unary(call.method)(call.request, timeout=bound, metadata=metadata)
            else:
                answer = self._cancellable(call, bound, metadata, cancel)
        except grpc.RpcError as error:
            raise convert(error, self.endpoint, send=call.send) from None
        except ValueError:
            if self._closed:
                raise channel_closed() from None
            raise
        return call.convert(answer)

    def begin(self, call: Call[Any], done: Callable[[Optional[SpreadError]], None]) -> None:
        """Makes one unary call in the background. ``done`` gets its error or None."""

        def on_done(future: Any) -> None:
            code = future.code()
            done(None if code is grpc.StatusCode.OK else convert(future, self.endpoint))

        try:
            metadata = self._metadata(call.headers)
            future = self._unary(call.method).future(call.request, timeout=self._call_timeout, metadata=metadata)
        except SpreadError as error:
            done(error)
        except ValueError:
            done(channel_closed())
        else:
            future.add_done_callback(on_done)

    def receive(self, request: service.ReceiveRequest) -> Any:
        """A Receive stream: an iterator of frames, with ``cancel()``."""
        stream = self._method(
            RECEIVE,
            lambda: self._channel.unary_stream(
                RECEIVE,
                request_serializer=service.ReceiveRequest.SerializeToString,
                response_deserializer=service.ReceiveResponse.FromString,
            ),
        )
        return self._open(stream, request)

    def multicast_stream(self, frames: Iterator[bytes]) -> Any:
        """A MulticastStream: an iterator of responses, with ``cancel()``. The frames are already encoded."""
        stream = self._method(
            MULTICAST_STREAM,
            lambda: self._channel.stream_stream(
                MULTICAST_STREAM,
                response_deserializer=service.MulticastStreamResponse.FromString,
            ),
        )
        return self._open(stream, frames)

    def close(self) -> None:
        """Closes the channel and cancels its calls."""
        self._closed = True
        self._channel.close()

    def _cancellable(self, call: Call[Any], timeout: float, metadata: Headers, cancel: Cancellation) -> Any:
        future = self._unary(call.method).future(call.request, timeout=timeout, metadata=metadata)
        unbind = cancel.on_cancel(future.cancel)
        try:
            return future.result()
        except grpc.FutureCancelledError:
            raise future from None
        finally:
            unbind()

    def _open(self, stream: Any, request: object) -> Any:
        metadata = self._metadata(())
        try:
            return stream(request, metadata=metadata)
        except ValueError:
            if self._closed:
                raise channel_closed() from None
            raise

    def _unary(self, method: UnaryMethod[Any, Any]) -> Any:
        return self._method(
            method.path,
            lambda: self._channel.unary_unary(
                method.path, request_serializer=method.encode, response_deserializer=method.decode
            ),
        )

    def _method(self, path: str, make: Callable[[], Any]) -> Any:
        known = self._methods.get(path)
        if known is None:
            known = self._methods[path] = make()
        return known

    def _metadata(self, more: Headers) -> list[tuple[str, str]]:
        metadata = [*self._headers, *more]
        if self._token is not None and all(name != "authorization" for name, _ in more):
            metadata = [pair for pair in metadata if pair[0] != "authorization"]
            metadata.append(("authorization", to_authorization(self._ask_token(self._token))))
        return metadata

    @staticmethod
    def _ask_token(source: TokenSource) -> str:
        if isinstance(source, str):
            return source
        try:
            return source()
        except Exception as error:
            failure = token_unavailable(error)
        raise failure
