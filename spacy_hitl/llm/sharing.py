"""Equal questions at the same time: asked once, and every one who waits gets the answer."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generic, List, Tuple, TypeVar

A = TypeVar("A")


@dataclass
class _Question(Generic[A]):
    future: "Future[A]"
    waiters: List[Tuple["Future[A]", Callable[[A], Any]]] = field(default_factory=list)


class UnderWay(Generic[A]):
    """Questions that are under way, by key.

    Everyone who waits has a future of their own: to give it up takes nothing from the others. The
    question itself is cancelled when nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._questions: Dict[str, _Question[A]] = {}
        # Re-entrant: a question that is answered or cancelled at once is settled inside `ask`.
        self._guard = threading.RLock()

    def __len__(self) -> int:
        return len(self._questions)

    def ask(
        self, key: str, start: Callable[[], "Future[A]"], *, before: Callable[[A], Any]
    ) -> "Future[A]":
        """Wait for the answer to a question; put it if nobody has.

        key (str): Equal for equal questions.
        start (Callable[[], Future[A]]): Puts the question. What it raises is raised here, and
            leaves nothing behind.
        before (Callable[[A], Any]): Called with the answer before this one who waits gets it. What
            it raises is all they get.
        RETURNS (Future[A]): Theirs alone. It fails as the question fails; a failed question is
            put anew by the next who asks.
        """
        waiter: Future[A] = Future()
        with self._guard:
            question = self._questions.get(key)
            if question is not None:
                question.waiters.append((waiter, before))
            else:
                question = self._questions[key] = _Question(start(), [(waiter, before)])
                question.future.add_done_callback(lambda _: self._settle(key))
        waiter.add_done_callback(
            lambda done: self._leave(key, question) if done.cancelled() else None
        )
        return waiter

    def _settle(self, key: str) -> None:
        with self._guard:
            question = self._questions.pop(key)  # from here on nobody joins
        for waiter, before in question.waiters:
            if not waiter.set_running_or_notify_cancel():
                continue
            try:
                answer = question.future.result()
                before(answer)
            except BaseException as e:  # whatever it is, it is theirs who wait
                waiter.set_exception(e)
            else:
                waiter.set_result(answer)

    def _leave(self, key: str, question: _Question[A]) -> None:
        with self._guard:
            alone = all(waiter.cancelled() for waiter, _ in question.waiters)
            if alone and self._questions.get(key) is question:
                question.future.cancel()
