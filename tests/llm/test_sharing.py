"""Equal questions at the same time: one of them is put; failing, giving up and stopping."""

import threading
from concurrent.futures import CancelledError, Future

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_server import server, stats

from spacy_hitl.errors import BudgetReached, ModelError, StateError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.budget import Budget, BudgetedModel
from spacy_hitl.llm.openai import make_openai_model
from spacy_hitl.llm.sharing import UnderWay
from spacy_hitl.llm.store import ResponseStore, StoredModel
from spacy_hitl.records import Message, Request, Response
from spacy_hitl.settings import Price


def nothing(answer):
    pass


class Questions:
    """Starts questions and keeps their futures, to be answered by hand."""

    def __init__(self):
        self.futures = []

    def start(self):
        self.futures.append(Future())
        return self.futures[-1]


@pytest.fixture
def questions():
    return Questions()


@pytest.fixture
def under_way():
    return UnderWay()


def test_equal_questions_are_put_once(under_way, questions):
    seen = []
    waiters = [under_way.ask("k", questions.start, before=seen.append) for _ in range(3)]
    other = under_way.ask("l", questions.start, before=nothing)
    assert len(questions.futures) == len(under_way) == 2
    questions.futures[0].set_result("answer")
    assert [w.result(1) for w in waiters] == ["answer"] * 3
    assert seen == ["answer"] * 3
    assert not other.done()
    assert len(under_way) == 1
    under_way.ask("k", questions.start, before=nothing)
    assert len(questions.futures) == 3, "it is no longer under way"


def test_a_question_that_is_answered_at_once(under_way):
    done = Future()
    done.set_result("stored")
    assert under_way.ask("k", lambda: done, before=nothing).result(1) == "stored"
    assert len(under_way) == 0


def test_one_gives_up_and_the_others_wait_on(under_way, questions):
    seen = []
    first, second, third = (
        under_way.ask("k", questions.start, before=lambda _, i=i: seen.append(i)) for i in range(3)
    )
    assert first.cancel()
    assert third.cancel()
    assert not questions.futures[0].cancelled()
    questions.futures[0].set_result("answer")
    assert second.result(1) == "answer"
    assert seen == [1]


def test_nobody_waits_any_more(under_way, questions):
    waiters = [under_way.ask("k", questions.start, before=nothing) for _ in range(2)]
    for waiter in waiters:
        waiter.cancel()
    assert questions.futures[0].cancelled()
    assert len(under_way) == 0
    again = under_way.ask("k", questions.start, before=nothing)
    questions.futures[1].set_result("answer")
    assert again.result(1) == "answer"


def test_a_question_that_can_not_be_cancelled_goes_on(under_way, questions):
    waiter = under_way.ask("k", questions.start, before=nothing)
    questions.futures[0].set_running_or_notify_cancel()
    waiter.cancel()
    late = under_way.ask("k", questions.start, before=nothing)
    assert len(questions.futures) == 1
    questions.futures[0].set_result("answer")
    assert late.result(1) == "answer"


def test_all_fail_together_and_the_next_asks_anew(under_way, questions):
    waiters = [under_way.ask("k", questions.start, before=nothing) for _ in range(2)]
    questions.futures[0].set_exception(ModelError("no"))
    for waiter in waiters:
        with pytest.raises(ModelError):
            waiter.result(1)
    again = under_way.ask("k", questions.start, before=nothing)
    questions.futures[1].set_result("answer")
    assert again.result(1) == "answer"


def test_cancelled_by_somebody_else(under_way, questions):
    """As when the event loop stops: nobody waits for ever."""
    waiter = under_way.ask("k", questions.start, before=nothing)
    questions.futures[0].cancel()
    with pytest.raises(CancelledError):
        waiter.result(1)
    assert len(under_way) == 0


def test_what_can_not_start_leaves_nothing_behind(under_way, questions):
    def refuse():
        raise BudgetReached("no")

    waiting = under_way.ask("other", questions.start, before=nothing)
    for _ in range(2):
        with pytest.raises(BudgetReached):
            under_way.ask("k", refuse, before=nothing)
    assert len(under_way) == 1
    joined = under_way.ask("other", refuse, before=nothing)  # no money is needed to wait
    questions.futures[0].set_result("answer")
    assert [waiting.result(1), joined.result(1)] == ["answer"] * 2


def test_what_fails_before_an_answer_is_given_out_is_told(under_way, questions):
    def full(answer):
        raise StateError("disk full")

    good = under_way.ask("k", questions.start, before=nothing)
    bad = under_way.ask("k", questions.start, before=full)
    questions.futures[0].set_result("answer")
    assert good.result(1) == "answer"
    with pytest.raises(StateError):
        bad.result(1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["stay", "leave"])), max_size=12))
def test_who_stays_gets_the_answer_whoever_leaves(asked):
    under_way, started = UnderWay(), {}

    def start(key):
        started.setdefault(key, []).append(Future())
        return started[key][-1]

    waiters = []
    for key, does in asked:
        waiter = under_way.ask(key, lambda key=key: start(key), before=nothing)
        waiters.append((key, does, waiter))
        if does == "leave":
            waiter.cancel()
    for key, futures in started.items():
        for future in futures:
            if not future.cancelled():
                future.set_result(key)
    for key, does, waiter in waiters:
        assert waiter.cancelled() if does == "leave" else waiter.result(1) == key
    assert len(under_way) == 0


def test_many_threads_ask_once(under_way, questions):
    gate = threading.Barrier(16)
    waiters = []

    def ask():
        gate.wait(60)
        waiters.append(under_way.ask("k", questions.start, before=nothing))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(questions.futures) == 1
    questions.futures[0].set_result("answer")
    assert [w.result(1) for w in waiters] == ["answer"] * 16


# The store in front of a rolling model


class Rolling:
    """Answers by hand: `finish` does what a model does when an answer arrives."""

    source = "rolling"
    window = 8

    def __init__(self):
        self.asked = []

    def respond(self, requests):
        raise AssertionError("a rolling model is asked with submit")

    def submit(self, request, on_answer):
        future = Future()
        self.asked.append((request, on_answer, future))
        return future

    def finish(self, number, response=None):
        request, on_answer, future = self.asked[number]
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(on_answer(request, response or Response(self.source, text="yes")))
        except Exception as e:
            future.set_exception(e)


def request(text, digest=None):
    digest = text_digest(text) if digest is None else digest
    return Request(digest, "mood", 1, (Message("user", text),), {})


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "r.db") as store:
        yield store


def in_thread(stream):
    """Read a stream in a thread of its own. RETURNS: the thread, and the list it fills."""
    found = []

    def read():
        try:
            found.extend(stream)
        except Exception as e:
            found.append(e)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, found


def then(event, *requests):
    """Yields the requests; sets the event when all of them were put."""
    yield from requests
    event.set()


def until(model, count):
    """Wait until the model was asked so often."""
    for _ in range(2000):
        if len(model.asked) >= count:
            return
        threading.Event().wait(0.005)
    raise AssertionError(f"asked {len(model.asked)} times, expected {count}")


def test_equal_texts_in_one_window(store):
    model = Rolling()
    thread, found = in_thread(
        StoredModel(model, store).respond([request("a", "1"), request("a", "2"), request("b")])
    )
    until(model, 2)
    model.finish(0)
    model.finish(1)
    thread.join(5)
    assert [r.text for r in found] == ["yes"] * 3
    assert len(model.asked) == len(store) == 2
    assert store.find(request("a", "2"), model="rolling") == found[1]


@pytest.mark.parametrize("failure", ["error", "exception"])
def test_the_first_one_fails(store, failure):
    """Both fail, nothing is stored, and the next run asks again."""
    model = Rolling()
    stored, put = StoredModel(model, store), threading.Event()
    thread, found = in_thread(stored.respond(then(put, request("a", "1"), request("a", "2"))))
    assert put.wait(5)
    if failure == "error":
        model.finish(0, Response("rolling", error="HTTP 500"))
    else:
        model.asked[0][2].set_exception(ModelError("no"))
    thread.join(5)
    if failure == "error":
        assert [r.error for r in found] == ["HTTP 500"] * 2
    else:
        assert [type(e) for e in found] == [ModelError]
    assert len(store) == 0
    thread, found = in_thread(stored.respond([request("a", "2")]))
    until(model, 2)
    model.finish(1)
    thread.join(5)
    assert [r.text for r in found] == ["yes"]


def broken(gate):
    """A stream of texts that fails while the first one is under way."""
    yield request("a")
    gate.wait(10)
    raise ValueError("no more texts")


def test_a_run_that_ends_takes_no_answer_from_another(store):
    """Two readers of one model wait for the same question; the one who put it leaves."""
    model, gate, put = Rolling(), threading.Event(), threading.Event()
    stored = StoredModel(model, store)
    leaving, left = in_thread(stored.respond(broken(gate)))
    until(model, 1)
    staying, found = in_thread(stored.respond(then(put, request("a"))))
    assert put.wait(5)
    gate.set()
    leaving.join(5)
    assert [type(e) for e in left] == [ValueError]
    assert not model.asked[0][2].cancelled()
    model.finish(0)
    staying.join(5)
    assert [r.text for r in found] == ["yes"]
    assert len(model.asked) == 1


def test_the_same_with_a_live_server(store):
    gate, put = threading.Event(), threading.Event()
    with server("--latency", "1") as address:
        stored = StoredModel(make_openai_model("m", base_url=address), store)
        leaving, left = in_thread(stored.respond(broken(gate)))
        while not stats(address).get("requests", 0):
            assert leaving.is_alive()
        staying, found = in_thread(stored.respond(then(put, request("a"))))
        assert put.wait(5)
        gate.set()
        leaving.join(5)
        assert [type(e) for e in left] == [ValueError]
        staying.join(20)
        assert found == [store.find(request("a"), model="m")]
        assert stats(address)["requests"] == 1


def test_a_run_that_ends_stops_what_nobody_waits_for(store):
    model, gate = Rolling(), threading.Event()
    leaving, left = in_thread(StoredModel(model, store).respond(broken(gate)))
    until(model, 1)
    gate.set()
    leaving.join(5)
    assert model.asked[0][2].cancelled()
    assert [type(e) for e in left] == [ValueError]


def test_the_budget_ends_between_equal_texts(store):
    """What is under way is waited for, by all who asked; what is too much leaves no trace."""
    model = Rolling()
    prices = {"rolling": Price(input=0.0, output=1_000_000.0)}
    budget = Budget(256.0, prices)  # one answer's worth
    stored = StoredModel(BudgetedModel(model, budget), store)
    requests = [request("a", "1"), request("a", "2"), request("b"), request("a", "3")]
    thread, found = in_thread(stored.respond(requests))
    until(model, 1)
    answer = Response("rolling", text="yes", prompt_tokens=1, completion_tokens=200)
    model.finish(0, answer)
    thread.join(5)
    *answers, stop = found
    assert isinstance(stop, BudgetReached)
    assert [r.text for r in answers] == ["yes"] * 2
    assert len(model.asked) == len(store) == 1
    assert (budget.spent, budget.reserved) == (200.0, 0.0), "paid once"
    assert [store.find(r, model="rolling") is None for r in requests] == [False, False, True, True]
    richer = StoredModel(BudgetedModel(model, Budget(1000.0, prices)), store)
    thread, found = in_thread(richer.respond(requests))
    until(model, 2)
    model.finish(1, answer)
    thread.join(5)
    assert [r.text for r in found] == ["yes"] * 4


def test_a_disk_that_is_full_stops_the_run(store):
    """The answer can't be written, so it is not given out; to nobody."""
    model = Rolling()
    store.db.run(
        "CREATE TRIGGER full BEFORE INSERT ON asked WHEN new.text_digest = '2'"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    stored = StoredModel(model, store)
    thread, found = in_thread(stored.respond([request("a", "1"), request("a", "2")]))
    until(model, 1)
    model.finish(0)
    thread.join(5)
    assert found[0].text == "yes"
    assert isinstance(found[1], StateError)
