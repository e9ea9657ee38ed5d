"""A rolling window: many requests in flight, answers in order, memory bounded."""

from collections import deque
from concurrent.futures import Future
from typing import Callable, Deque, Iterable, Iterator, TypeVar

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
    """
    window: Deque[Future[A]] = deque()
    try:
        for question in questions:
            window.append(submit(question))
            while window and (len(window) >= size or window[0].done()):
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        for future in window:
            future.cancel()
