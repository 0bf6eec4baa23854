"""An object that is being opened."""

from __future__ import annotations

from types import TracebackType
from typing import Any, AsyncContextManager, Awaitable, Coroutine, Generator, Generic, Optional, Type, TypeVar

OpenedT = TypeVar("OpenedT", bound=AsyncContextManager[Any])


class Opening(Awaitable[OpenedT], Generic[OpenedT]):
    """Use ``await`` to get the opened object, or ``async with`` to also close it at the end of the block."""

    def __init__(self, opening: Coroutine[Any, Any, OpenedT]) -> None:
        self._opening = opening
        self._opened: Optional[OpenedT] = None

    def __await__(self) -> Generator[Any, Any, OpenedT]:
        return self._opening.__await__()

    async def __aenter__(self) -> OpenedT:
        self._opened = await self._opening
        await self._opened.__aenter__()
        return self._opened

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        assert self._opened is not None
        await self._opened.__aexit__(exc_type, exc, traceback)
