"""A rolling window: many requests in flight, answers in order, memory bounded."""

from collections import deque
from concurrent.futures import Future
from typing import Callable, Deque, Iterable, Iterator, Optional, TypeVar

from ..errors import BudgetReached

Q = TypeVar("Q")
A = TypeVar("A")


def in_order(
    questions: Iterable[Q], submit: Callable[[Q], "Future[A]"], *, size: int
) -> Iterator[A]:
    """Keep up to `size` questions under way, and give the answers in the order of the questions.

    questions (Iterable[Q]): Read no further ahead than `size`.
    submit (Callable[[Q], Future[A]]): Starts one question.
    size (int): Upper bound for questions that are under way or answered and not given out.
    YIELDS (A): One answer per question.
    RAISES (BudgetReached): After the answers of all questions that were started before.
    """
    window: Deque[Future[A]] = deque()
    stop: Optional[BudgetReached] = None
    try:
        for question in questions:
            try:
                window.append(submit(question))
            except BudgetReached as e:
                stop = e
                break
            while window and (len(window) >= size or window[0].done()):
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
        if stop is not None:
            raise stop
    finally:
        for future in window:
            future.cancel()
