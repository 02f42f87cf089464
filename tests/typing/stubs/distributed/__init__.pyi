# What the package uses of distributed, and what the examples in the docs do.
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

_T = TypeVar("_T")

class KilledWorker(Exception): ...  # noqa: N818 - its name

class Scheduler:
    handlers: dict[str, Callable[..., Any]]

class SchedulerPlugin:
    def start(self, scheduler: Scheduler) -> Any: ...

class Worker:
    scheduler: Any

def get_worker() -> Worker: ...

class Future(Generic[_T]):
    def __await__(self) -> Generator[Any, Any, _T]: ...
    def release(self) -> None: ...

class Client:
    scheduler: Any
    security: Any
    def __init__(
        self,
        address: Any = None,
        *,
        asynchronous: bool = False,
        set_as_default: bool = True,
        security: Any = None,
    ) -> None: ...
    def __await__(self) -> Generator[Any, Any, Self]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def submit(
        self,
        func: Callable[..., Awaitable[_T]],
        *args: Any,
        key: str,
        pure: bool,
        retries: int,
    ) -> Future[_T]: ...
    def register_plugin(self, plugin: SchedulerPlugin, name: str) -> Awaitable[Any]: ...
    def unregister_scheduler_plugin(self, name: str) -> Awaitable[Any]: ...
    async def close(self) -> None: ...
