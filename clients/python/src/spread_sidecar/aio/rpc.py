"""The channel with a deadline for each call and SpreadError for failures."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Optional, Sequence

import grpc
import grpc.aio

from .._core.calls import Call, ResultT
from .._core.channel import ChannelPlan
from .._core.local_errors import channel_closed, check_timeout, invalid_response
from .._core.methods import MULTICAST_STREAM, RECEIVE, UnaryMethod
from .._core.rich_status import to_spread_error
from .._core.rules import failures
from .._core.security import to_authorization, token_unavailable
from .._core.unreachable import Endpoint
from ..errors import SendOutcome, SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..options import AsyncTokenSource

Headers = Sequence[tuple[str, str]]

_WRITE_FAILED = "Internal error from Core"
# Number and length of the waits for the status of a stream. Unit: s.
_STATUS_TURNS = 50
_STATUS_PAUSE = 0.01


def convert(
    error: grpc.aio.AioRpcError, endpoint: Endpoint, *, send: bool = False, outcome: Optional[SendOutcome] = None
) -> SpreadError:
    """Converts an exception of gRPC."""
    trailers: Any = error.trailing_metadata() or ()
    converted = to_spread_error(
        error.code().name,
        error.details() or "",
        tuple(trailers),
        endpoint=endpoint,
        send=send,
        outcome=outcome,
    )
    converted.grpc_error = error
    return converted


def check_decoded(answer: object, call: str, outcome: Optional[SendOutcome] = None) -> None:
    """Raises if gRPC could not decode a response. The asyncio API of gRPC returns None in that case."""
    if answer is None:
        raise invalid_response(call, "is not valid protobuf", outcome)


async def end_of(call: Any, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """The status of a stream that ended during a write.

    When gRPC finds at a write that the stream has ended, it reports an internal error. It gets the status of
    the stream later.
    """
    for _ in range(_STATUS_TURNS):
        if error.code() is not grpc.StatusCode.INTERNAL or error.details() != _WRITE_FAILED:
            return error
        await asyncio.sleep(_STATUS_PAUSE)
        error = grpc.aio.AioRpcError(
            await call.code(),
            await call.initial_metadata(),
            await call.trailing_metadata(),
            details=await call.details(),
        )
    # The connection must have broken.
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, error.initial_metadata(), error.trailing_metadata(), "the connection broke"
    )


class Rpc:
    """A channel."""

    def __init__(self, plan: ChannelPlan, token: Optional[AsyncTokenSource]) -> None:
        # Raises without a running loop. Otherwise gRPC would choose a loop that does not run.
        asyncio.get_running_loop()
        credentials = plan.security.credentials
        self._channel: grpc.aio.Channel = (
            grpc.aio.insecure_channel(plan.grpc_target, plan.arguments)
            if credentials is None
            else grpc.aio.secure_channel(plan.grpc_target, credentials, plan.arguments)
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

    async def call(self, call: Call[ResultT], timeout: Optional[float] = None) -> ResultT:
        """Makes one unary call."""
        check_timeout(timeout)
        metadata = await self._metadata(call.headers)
        bound = self._call_timeout if timeout is None else timeout
        try:
            answer = await self._unary(call.method)(call.request, timeout=bound, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise convert(error, self.endpoint, send=call.send) from None
        except grpc.aio.UsageError:
            raise channel_closed() from None
        except asyncio.CancelledError:
            # Closing the channel cancels its calls, but not the tasks that wait for them.
            if self._closed:
                raise channel_closed("unknown" if call.send else None) from None
            raise
        check_decoded(answer, call.method.name, "unknown" if call.send else None)
        return call.convert(answer)

    async def receive(self, request: service.ReceiveRequest) -> Any:
        """A Receive stream, with ``read()`` and ``cancel()``."""
        stream = self._method(
            RECEIVE,
            lambda: self._channel.unary_stream(
                RECEIVE,
                request_serializer=service.ReceiveRequest.SerializeToString,
                response_deserializer=service.ReceiveResponse.FromString,
            ),
        )
        metadata = await self._metadata(())
        try:
            return stream(request, metadata=metadata)
        except grpc.aio.UsageError:
            raise channel_closed() from None

    async def multicast_stream(self) -> Any:
        """A MulticastStream, with ``read()``, ``write()`` of encoded frames and ``cancel()``."""
        stream = self._method(
            MULTICAST_STREAM,
            lambda: self._channel.stream_stream(
                MULTICAST_STREAM, response_deserializer=service.MulticastStreamResponse.FromString
            ),
        )
        metadata = await self._metadata(())
        try:
            return stream(metadata=metadata)
        except grpc.aio.UsageError:
            raise channel_closed() from None

    async def close(self) -> None:
        """Closes the channel and cancels its calls."""
        self._closed = True
        await self._channel.close()

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

    async def _metadata(self, more: Headers) -> list[tuple[str, str]]:
        metadata = [*self._headers, *more]
        if self._token is not None and all(name != "authorization" for name, _ in more):
            metadata = [pair for pair in metadata if pair[0] != "authorization"]
            metadata.append(("authorization", to_authorization(await self._ask_token(self._token))))
        return metadata

    @staticmethod
    async def _ask_token(source: AsyncTokenSource) -> str:
        if isinstance(source, str):
            return source
        try:
            given = source()
            return await given if inspect.isawaitable(given) else given
        except Exception as error:
            failure = token_unavailable(error)
        raise failure
