"""Work that goes on beside whoever asked for it; nobody is held up by it, not even at the program's end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TypeVar

AT_ONCE = 8
Progress = Callable[[str], None]
T = TypeVar("T")
K = TypeVar("K")


def beside(work: Callable[[], T]) -> Future[T]:
    """Begin a piece of work in a thread of its own; what it gives, or how it failed, is in the future."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return future


def tried(work: Callable[[], T]) -> Future[T]:
    """What a piece of work gave, or how it failed: told to whoever asks."""
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future


def all_tried(work: Callable[[K], T], items: Iterable[K]) -> dict[K, Future[T]]:
    """A piece of work for each item, some at once; each has an outcome of its own."""
    wanted = list(items)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda item: tried(lambda: work(item)), wanted), strict=True))


class CutShortError(Exception):
    """Work beside this one has failed, or whoever wanted both has gone: no further step of it is begun."""


def side_by_side(works: Sequence[Callable[[Progress], None]], progress: Progress) -> list[BaseException]:
    """Do pieces of work at the same time; gives how they failed, none if all are done.

    Each announces its steps by the `progress` that it is given. Once one has failed, or Ctrl-C has come, that ends the
    others (CutShortError) where they would begin their next step.
    """
    over = threading.Event()

    def announce(line: str) -> None:
        if over.is_set():
            raise CutShortError(line)
        progress(line)

    with ThreadPoolExecutor(max(1, len(works))) as pool, ExitStack() as stack:
        stack.callback(over.set)
        begun = [pool.submit(work, announce) for work in works]
        _, left = wait(begun, return_when=FIRST_EXCEPTION)
        if left:
            progress(f"that failed: {_first_error(begun)}; what is under way ends with its present step")
    return [error for future in begun if (error := future.exception()) and not isinstance(error, CutShortError)]


def _first_error(begun: Iterable[Future[None]]) -> BaseException | None:
    return next((future.exception() for future in begun if future.done() and future.exception()), None)
