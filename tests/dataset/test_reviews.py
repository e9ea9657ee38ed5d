"""What a review session keeps in the dataset."""

from pathlib import Path
from typing import Any, Iterator

import pytest

from spacy_hitl.dataset import reviews
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, Decision, Preference, Proposal, Row
from spacy_hitl.settings import LaneSettings

ONE, TWO = text_digest("one"), text_digest("two")


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    with Dataset(tmp_path / "hitl.db") as found:
        rows = [Row("a", "1", "one", lane="train"), Row("b", "2", "one"), Row("a", "3", "two")]
        found.add_rows(rows, LaneSettings(gold=0, dev=0))
        yield found


def decision(**changes: Any) -> Decision:
    values: Any = {
        "text_digest": ONE,
        "task": "t",
        "action": "accept",
        "annotator": "ann",
        "origin": "person",
        "task_digest": "d",
        "annotation": Annotation(),
        **changes,
    }
    return Decision(**values)


def test_heads_say_what_is_counted(dataset: Dataset) -> None:
    made = [
        decision(uid="u1", seconds=2.5, time=7.0, edits=3, saw_proposal="m", mode="routed"),
        decision(uid="u2", flagged=True, action="flag", annotation=None),
        decision(uid="u3", labels=("A",)),
        decision(uid="u4", ranges=((0, 1),)),
        decision(uid="u5", action="undo", undoes="u1", annotation=None),
        decision(task="other", origin="import"),
    ]
    dataset.add_decisions(made)
    heads = list(reviews.decision_heads(dataset, ("t",)))
    assert [h.uid for h in heads] == ["u1", "u2", "u3", "u4", "u5"]
    for head, whole in zip(heads, made, strict=False):
        for name in ("action", "seconds", "time", "edits", "saw_proposal", "mode", "undoes"):
            assert getattr(head, name) == getattr(whole, name)
        assert bool(head.flagged) == whole.flagged and head.origin == whole.origin
        assert bool(head.whole) == (whole.labels is None and whole.ranges is None)
    assert [d.uid for d in reviews.decisions_of(dataset, "u3")] == ["u3"]
    assert reviews.decisions_of(dataset, "nothing") == []


def test_leases_hold_until_they_expire(dataset: Dataset) -> None:
    reviews.set_leases(dataset, "ann", [ONE, TWO], expires=10.0)
    reviews.set_leases(dataset, "bo", [ONE], expires=20.0)
    reviews.set_leases(dataset, "ann", [ONE], expires=30.0)  # renewed
    assert {(d, a) for d, a, _ in reviews.leases(dataset, 5.0)} == {
        (ONE, "ann"),
        (TWO, "ann"),
        (ONE, "bo"),
    }
    assert {(a, e) for _, a, e in reviews.leases(dataset, 10.0)} == {("ann", 30.0), ("bo", 20.0)}
    reviews.drop_lease(dataset, "ann", ONE)
    reviews.drop_expired(dataset, 15.0)
    assert reviews.leases(dataset, 0.0) == [(ONE, "bo", 20.0)]


def test_only_leases_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    with Dataset(tmp_path / "other.db", synchronous="FULL") as dataset:
        found = []
        with reviews.quick_transaction(dataset):
            found.append(dataset.db.one("PRAGMA synchronous")[0])
        found.append(dataset.db.one("PRAGMA synchronous")[0])
        with pytest.raises(ZeroDivisionError), reviews.quick_transaction(dataset):
            dataset.db.run("INSERT INTO logins VALUES ('a', 'b', 1.0)")
            raise ZeroDivisionError
        found.append(dataset.db.one("PRAGMA synchronous")[0])
        assert found == [1, 2, 2]  # NORMAL, FULL, FULL
        assert reviews.logins(dataset, since=0.0) == {}


def test_old_logins_are_forgotten(dataset: Dataset) -> None:
    reviews.add_login(dataset, "one", "ann", 10.0)
    reviews.add_login(dataset, "two", "bo", 20.0)
    assert reviews.logins(dataset, since=15.0) == {"two": "bo"}
    assert reviews.logins(dataset, since=0.0) == {"two": "bo"}


def test_a_preference_is_stored_once(dataset: Dataset) -> None:
    made = Preference(ONE, "t", "a", "b", "first", "ann", uid="u", time=1.0)
    assert reviews.add_preference(dataset, made)
    assert not reviews.add_preference(dataset, made)
    assert reviews.preferences(dataset) == reviews.preferences(dataset, "t") == [made]
    assert reviews.preferences(dataset, "other") == []


def test_which_texts_were_asked_about(dataset: Dataset) -> None:
    key = ("m", 1, "d")
    proposal = Proposal(ONE, "t", "m", "refused", "d")
    dataset.add_proposals([proposal])
    assert reviews.unusable_texts(dataset, "t", key) == {ONE: "refused"}
    assert reviews.unusable_texts(dataset, "t", ("m", 2, "d")) == {}
    assert reviews.texts_without_any_proposal(dataset, ("t", "other")) == {TWO}
    assert reviews.proposals_by_text(dataset, "t", key) == {ONE: ("refused", "{}")}
    dataset.add_decisions([decision(uid="u")])
    assert reviews.decided_texts(dataset, "t", lane="train") == {ONE}
    assert reviews.decided_texts(dataset, "t", lane="gold") == set()
    assert [r["id"] for r in reviews.rows_of(dataset, ONE)] == ["1", "2"]
    assert len(reviews.rows_of(dataset, ONE, limit=1)) == 1
