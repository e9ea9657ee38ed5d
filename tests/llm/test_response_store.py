import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.errors import StateError
from spacy_hitl.llm.budget import DryModel
from spacy_hitl.llm.replay import make_replay_model
from spacy_hitl.llm.store import FORMAT, ResponseStore, StoredAnswers, StoredModel, request_key
from spacy_hitl.records import Message, Request, Response
from spacy_hitl.ty import Model


def request(text, **changes):
    asked = Request(f"d-{text}", "product", 1, (Message("user", text),), {"type": "object"})
    return replace(asked, **changes)


class Counting:
    """A model that remembers what it was asked. A text that starts with "fail" fails."""

    def __init__(self, source="model"):
        self.source = source
        self.asked = []

    def respond(self, requests):
        for asked in requests:
            text = asked.messages[-1].content
            self.asked.append(text)
            if text.startswith("fail"):
                yield Response(self.source, error="HTTP 500")
            elif text.startswith("silent"):
                yield Response(self.source)
            elif text.startswith("refuse"):
                yield Response(self.source, refusal="No.")
            else:
                yield Response(self.source, text=f"{text} {len(self.asked)}", finish_reason="stop")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "responses.db"


@pytest.fixture
def store(path):
    with ResponseStore(path) as store:
        yield store


def ask(store, *texts, model=None):
    """RETURNS: Responses, and what the model behind the store was asked."""
    model = model or Counting()
    return list(StoredModel(model, store).respond([request(t) for t in texts])), model.asked


def test_answers_pass_through(store):
    responses, asked = ask(store, "a", "b")
    assert [r.text for r in responses] == ["a 1", "b 2"]
    assert asked == ["a", "b"]
    assert [r.key for r in responses] == [
        request_key(request(t), model="model", shaping={}) for t in "ab"
    ]
    assert isinstance(StoredModel(Counting("x"), store), Model)
    assert StoredModel(Counting("x"), store).source == "x"


def test_second_run_asks_nothing(store):
    first, _ = ask(store, "a", "b", "c")
    assert ask(store, "c", "a", "b") == ([first[2], first[0], first[1]], [])


def test_only_what_is_missing_is_asked(store):
    ask(store, "a", "c")
    responses, asked = ask(store, "a", "b", "c", "d")
    assert asked == ["b", "d"]
    assert [r.text for r in responses] == ["a 1", "b 1", "c 2", "d 2"]


def test_stored_before_it_is_given_out(store):
    stream = StoredModel(Counting(), store).respond([request("a"), request("b")])
    first = next(stream)
    assert len(store) == 1
    assert store.get(first.key) == first
    stream.close()  # the run ends here
    assert ask(store, "a", "b")[1] == ["b"]


def test_reopened_store_has_everything(path):
    with ResponseStore(path) as store:
        first, _ = ask(store, "a", "😀\n\u2028")
    with ResponseStore(path) as store:
        assert ask(store, "a", "😀\n\u2028") == (first, [])


@pytest.mark.parametrize("text", ["fail", "silent"])
def test_failures_are_passed_on_and_not_stored(store, text):
    (before, failed, after), _ = ask(store, "a", text, "b")
    assert failed.text is None
    assert (before.text, after.text) == ("a 1", "b 3")
    assert len(store) == 2
    assert ask(store, "a", text, "b")[1] == [text]


def test_refusal_is_an_answer(store):
    first, _ = ask(store, "refuse")
    assert ask(store, "refuse") == (first, [])
    assert first[0].refusal == "No."


def test_duplicates_in_a_batch_are_asked_once(store):
    responses, asked = ask(store, "a", "b", "a", "fail", "a", "fail")
    assert asked == ["a", "b", "fail"]
    assert [r.text for r in responses] == ["a 1", "b 2", "a 1", None, "a 1", None]


def test_model_that_stops_early_loses_no_answer(store):
    class Short(Counting):
        def respond(self, requests):
            yield from super().respond(list(requests)[:1])

    assert len(ask(store, "a", "b", model=Short())[0]) == 1
    assert ask(store, "a", "b")[1] == ["b"]


def test_first_answer_is_kept(store):
    store.put("k", request("a"), Response("m", text="first"))
    store.put("k", request("a"), Response("m", text="second"))
    assert store.get("k").text == "first"
    assert store.get("other") is None


@given(text=st.text(), reason=st.none() | st.text())
def test_answer_comes_back_as_it_was(tmp_path_factory, text, reason):
    path = tmp_path_factory.getbasetemp() / "store" / "responses.db"
    with ResponseStore(path) as store:
        key = f"{len(store)}"
        response = Response("m", text=text, finish_reason=reason, refusal=reason, key=key)
        store.put(key, request("a"), response)
        assert store.get(key) == response


# Texts that are the same question, once masked say


def twice(store, model=None):
    """Two texts, one question. RETURNS: their requests, the responses, what was asked."""
    asked = [request("a", text_digest="d-1"), request("a", text_digest="d-2")]
    model = model or Counting()
    return asked, list(StoredModel(model, store).respond(asked)), model.asked


def test_texts_that_ask_the_same_share_an_answer_and_both_find_it(store):
    requests, (first, second), asked = twice(store)
    assert first == second
    assert asked == ["a"]
    assert [store.find(r, model="model") for r in requests] == [first, first]
    assert list(StoredAnswers("model", store).respond(requests)) == [first, first]
    assert list(store.recorded()) == [(f"d-{i}", 1, "product", first) for i in (1, 2)]
    assert len(store) == 1
    assert list(store.usage()) == [("model", 1, 0, 0)], "paid once"


def test_a_hit_of_another_text_is_written_down_too(store):
    first, _ = ask(store, "a")
    other = request("a", text_digest="d-2", task="mood")
    assert store.find(other, model="model") is None
    for _ in range(2):
        assert list(StoredModel(Counting(), store).respond([other])) == first
    assert store.find(other, model="model") == first[0]
    assert store.find(replace(other, task="product"), model="model") is None
    assert store.find(replace(other, sample=2), model="model") is None
    assert store.find(other, model="else") is None
    assert len(store) == 1
    assert store.db.one("SELECT count(*) FROM asked") == (2,)


def test_a_failure_is_nobodys_answer(store):
    asked = [request("fail", text_digest="d-1"), request("fail", text_digest="d-2")]
    assert {r.text for r in StoredModel(Counting(), store).respond(asked)} == {None}
    assert store.db.one("SELECT count(*) FROM asked") == (0,)


def test_of_equal_questions_the_first_text_asks(store):
    """Who answers by text, as a recording does, is asked about the text the answer is kept for."""

    class ByText(Counting):
        def respond(self, requests):
            yield from (Response(self.source, text=r.text_digest) for r in requests)

    assert [r.text for r in twice(store, ByText())[1]] == ["d-1", "d-1"]


def test_the_last_question_about_a_text_counts(store):
    """Whatever the prompt was, and whoever asked it first."""
    old, new = request("old", text_digest="d"), request("new", text_digest="d")
    stored = StoredModel(Counting(), store)
    list(stored.respond([replace(new, text_digest="other")]))
    for asked in (old, new):
        (answer,) = stored.respond([asked])
        assert store.find(old, model="model") == answer


def test_answer_and_asker_are_written_together(store):
    store.db.run(
        "CREATE TRIGGER full BEFORE INSERT ON asked BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(StateError, match="H060"):
        ask(store, "a")
    assert len(store) == 0
    store.db.run("DROP TRIGGER full")
    assert ask(store, "a")[1] == ["a"]


def test_an_answer_that_is_not_stored_yet_is_not_used(store):
    """Another thread is writing it, and may still fail."""
    inside, looked = threading.Event(), threading.Event()

    def write():
        with pytest.raises(ZeroDivisionError), store.db.transaction():
            store.put("k", request("a"), Response("m", text="a"))
            inside.set()
            looked.wait(0.3)
            raise ZeroDivisionError

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(5)
    found = store.get("k")
    looked.set()
    writer.join(5)
    assert found is None


def test_a_dry_run_writes_nothing(store):
    ask(store, "a")
    dry = DryModel(Counting())
    asked = [request("a", text_digest="d-2"), request("b")]
    assert [r.text for r in StoredModel(dry, store).respond(asked)] == ["a 1", None]
    assert dry.requests == 1
    assert store.db.one("SELECT count(*) FROM asked") == (1,)


# The key


@pytest.mark.parametrize(
    "other",
    [
        request("b"),
        request("a", sample=2),
        request("a", schema={"type": "array"}),
        request("a", messages=(Message("system", "a"),)),
        request("a", messages=(Message("user", ""), Message("user", "a"))),
        request("A"),
        request("a "),
    ],
)
def test_key_depends_on_all_that_shapes_an_answer(other):
    assert request_key(other, model="m", shaping={}) != request_key(
        request("a"), model="m", shaping={}
    )


def test_key_depends_on_the_model():
    assert request_key(request("a"), model="m", shaping={}) != request_key(
        request("a"), model="n", shaping={}
    )


def test_another_model_is_asked_again(store):
    ask(store, "a")
    assert ask(store, "a", model=Counting("other"))[1] == ["a"]


KNOWN_KEY = "4aee9ccba83c716e8d44e68a396ecbda4a5e2235b1aa119c46b90df2354053a1"


def test_key_lasts():
    """Stored answers must be found by later releases: this key never changes."""
    asked = Request("d", "product", 1, (Message("user", "😀"),), {"b": 1, "a": [None]})
    same = replace(asked, schema={"a": [None], "b": 1})
    assert request_key(asked, model="m", shaping={}) == request_key(same, model="m", shaping={})
    assert request_key(asked, model="m", shaping={}) == KNOWN_KEY


# The file


WRITER = """
import sys
from pathlib import Path
from spacy_hitl.errors import StateError
from spacy_hitl.llm.store import ResponseStore
try:
    with ResponseStore(Path(sys.argv[1])):
        print("opened")
except StateError as e:
    print(e)
"""


def test_second_writer_in_this_process_is_refused(path, store):
    with pytest.raises(StateError, match=r"\[H062\] .*responses.db"), ResponseStore(path):
        pass
    assert ask(store, "a")[1] == ["a"], "the first one goes on"


def test_second_writing_process_is_refused(path):
    def write():
        done = subprocess.run(
            [sys.executable, "-c", WRITER, str(path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with ResponseStore(path):
        assert write().startswith("[H062]")
    assert write() == "opened"


def test_newer_version_is_refused(path):
    with ResponseStore(path) as store:
        ask(store, "a")
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with (
        pytest.raises(StateError, match=rf"\[H050\] .*\(format {FORMAT + 1}, .* {FORMAT}\)"),
        ResponseStore(path),
    ):
        pass
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM responses").fetchone() == (1,)


OLD_SCHEMA = """
CREATE TABLE responses (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    text_digest TEXT NOT NULL,
    task TEXT NOT NULL,
    sample INTEGER NOT NULL,
    model TEXT NOT NULL,
    response TEXT NOT NULL
);
CREATE INDEX responses_text ON responses (text_digest, task, sample);
"""


@pytest.fixture
def old_path(path):
    """A store as format 1 wrote it, with the answers to "a" and "b"."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(OLD_SCHEMA)
        for text in "ab":
            asked = request(text)
            key = request_key(asked, model="model", shaping={})
            answer = Response("model", text=f"{text} 0", key=key)
            row = (key, asked.text_digest, "product", 1, "model", json.dumps(answer.to_dict()))
            connection.execute(
                "INSERT INTO responses (key, text_digest, task, sample, model, response)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        connection.execute("PRAGMA user_version = 1")
        connection.execute(f"PRAGMA application_id = {int.from_bytes(b'resp', 'big')}")
    return path


def test_a_store_of_format_1_still_opens(old_path):
    for _ in range(2):
        with ResponseStore(old_path) as store:
            responses, asked = ask(store, "a", "b")
            assert ([r.text for r in responses], asked) == (["a 0", "b 0"], [])
            assert [store.find(request(t), model="model") for t in "ab"] == responses
            assert [digest for digest, *_ in store.recorded()] == ["d-a", "d-b"]
            assert store.db.one("PRAGMA user_version") == (FORMAT,)
    with ResponseStore(old_path) as store:
        _, answers, _ = twice(store)
        assert answers == [responses[0]] * 2
        assert len(store) == 2


def test_a_recording_of_format_1_still_replays(old_path):
    model = make_replay_model(old_path)
    assert [r.text for r in model.respond([request("b"), request("a")])] == ["b 0", "a 0"]


def test_an_upgrade_that_fails_changes_nothing(old_path):
    with closing(sqlite3.connect(old_path)) as connection, connection:
        connection.execute("DROP INDEX responses_text")  # the last step of the upgrade needs it
    with pytest.raises(StateError, match=r"\[H060\] .*responses_text"), ResponseStore(old_path):
        pass
    with closing(sqlite3.connect(old_path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert tables.fetchall() == [("responses",)]
        assert connection.execute("SELECT count(*) FROM responses").fetchone() == (2,)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 50, b"two"])
def test_other_file_is_refused_and_kept(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"\[H051\] .*not a response store"), ResponseStore(path):
        pass
    assert path.read_bytes() == content


def test_other_database_is_refused_and_kept(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    content = path.read_bytes()
    with pytest.raises(StateError, match=r"\[H051\] .*not a response store"), ResponseStore(path):
        pass
    assert path.read_bytes() == content


def test_refused_file_is_not_locked(path):
    path.parent.mkdir()
    path.write_bytes(b"x" * 5000)
    for _ in range(2):
        with pytest.raises(StateError, match="H051"), ResponseStore(path):
            pass


def test_closed_store_says_so(path):
    with ResponseStore(path) as store:
        pass
    with pytest.raises(StateError, match=r"\[H051\] .*closed"):
        store.get("k")


def test_the_time_of_an_answer_is_kept_and_answers_without_one_are_read(store):
    asked = request("a")
    store.put("new", asked, Response("model", text="x", key="new", seconds=1.25))
    store.put("old", asked, Response("model", text="x", key="old"))
    stored = dict(store.db.rows("SELECT key, response FROM responses"))
    assert "seconds" not in stored["old"], "as earlier releases wrote it"
    assert (store.get("new").seconds, store.get("old").seconds) == (1.25, None)
