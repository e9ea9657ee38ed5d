"""Deciding everywhere, on a real dataset: what is found, what is stored, and never gold."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import live
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_hitl.dataset.spreading import count_holding, texts_holding
from spacy_hitl.io import text_digest
from spacy_hitl.records import GOLD, Annotation, Decision, Row, SpanAnnotation
from spacy_hitl.review.session.session import Session
from spacy_hitl.review.spread.known import Form
from spacy_hitl.review.spread.spread import Spreader
from spacy_hitl.settings import LaneSettings

OWN = ["A Kestrel and a Nebula", "the nebula", "Nebula Pro is no Nebula", "nothing here"]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Six train and two gold texts about a Nebula with proposals, and four without."""
    monkeypatch.chdir(tmp_path)
    live.write_project(texts=OWN)
    with live.session() as found:
        yield found


def form(label: Optional[str] = "PHONE", words: str = "Nebula", **values: Any) -> Form:
    return Form("product", words, label, **values)


def spread(session: Session, wanted: Form, ids: List[str], uid: str = "u", **values: Any) -> int:
    """Decide and store, as the session does."""
    decisions = Spreader(session.texts).decide(
        wanted, ids, annotator="ann", uid=uid, time=1.0, **values
    )
    if decisions:
        session.store("ann", decisions)
    return len(decisions)


def whole(session: Session, text: str, *spans: Any, **values: Any) -> None:
    """A person accepts a text."""
    annotation = Annotation(spans=tuple(SpanAnnotation(*s) for s in spans))
    digest = text_digest(text)
    decision = Decision(
        digest,
        "product",
        values.pop("action", "accept"),
        "bo",
        "person",
        session.plan["product"].digest,
        annotation,
        uid=f"whole {digest}",
    )
    session.store("bo", [replace(decision, **values)])


def now(session: Session, text: str) -> List[Any]:
    """What holds, whole or in part."""
    found = session.texts.standing("product", text_digest(text))
    if found is None:
        return []
    annotation = found.annotation or (found.partial and found.partial.annotation) or Annotation()
    return [(s.start, s.end, s.label) for s in annotation.spans]


def test_all_occurrences_outside_gold_are_found(session: Session) -> None:
    found = Spreader(session.texts).find(form())
    texts = [session.dataset.text(o.digest) for o in found.occurrences]
    train = [live.text_of(i) for i in range(6)]
    assert sorted(texts) == sorted([*train, OWN[0], OWN[2], OWN[2]])
    assert (found.more, found.after) == (0, None)
    assert {o.digest for o in found.occurrences if not o.differs} == set(map(text_digest, train))
    assert [o.differs for o in found.occurrences] == [True] * 3 + [False] * 6


def test_a_search_goes_on_where_it_stopped(session: Session) -> None:
    spreader = Spreader(session.texts)
    first = spreader.find(form(), limit=3)
    assert (len(first.occurrences), first.more) == (3, 5)
    assert first.after is not None
    rest = spreader.find(form(), after=first.after, limit=100)
    assert rest.more == 0
    ids = {o.id for o in (*first.occurrences, *rest.occurrences)}
    assert ids == {o.id for o in spreader.find(form()).occurrences}


def test_case_is_ignored_on_demand(session: Session) -> None:
    found = Spreader(session.texts).find(form(ignore_case=True))
    assert text_digest(OWN[1]) in {o.digest for o in found.occurrences}


def test_an_undecided_text_is_decided_in_that_place_only(session: Session) -> None:
    found = Spreader(session.texts).find(form()).occurrences
    (place,) = (o for o in found if o.digest == text_digest(OWN[0]))
    assert spread(session, form(), [place.id]) == 1
    standing = session.texts.standing("product", place.digest)
    assert standing is not None
    assert standing.annotation is None
    assert standing.partial is not None
    assert standing.partial.ranges == ((16, 22),)


def test_a_decided_text_keeps_everything_else(session: Session) -> None:
    whole(session, OWN[0], (2, 9, "MAKER"))
    assert spread(session, form(), [f"{text_digest(OWN[0])}:16:22"]) == 1
    standing = session.texts.standing("product", text_digest(OWN[0]))
    assert standing is not None
    assert standing.annotation is not None
    assert now(session, OWN[0]) == [(2, 9, "MAKER"), (16, 22, "PHONE")]


def test_who_spreads_has_not_decided_on_the_texts(session: Session) -> None:
    text = live.text_of(0)
    whole(session, text, (4, 10, "MAKER"))
    assert spread(session, form(), [f"{text_digest(text)}:4:10"]) == 1
    assert now(session, text) == [(4, 10, "PHONE")]
    own = session.texts.own_standing("product", text_digest(text), "ann")
    assert own is not None
    assert own.annotation is None
    known = session.queue.text(text_digest(text))
    assert known is not None
    assert "ann" not in known.decided_by


def test_all_of_it_is_taken_back_as_one(session: Session) -> None:
    whole(session, OWN[0], (2, 9, "MAKER"))
    ids = [o.id for o in Spreader(session.texts).find(form()).occurrences if o.differs]
    assert spread(session, form(), ids) == 2
    assert now(session, OWN[2]) == [(0, 6, "PHONE"), (17, 23, "PHONE")]
    uid, digests = session.undo("ann", "back", "u")
    assert uid == "u" and len(digests) == 2
    assert now(session, OWN[0]) == [(2, 9, "MAKER")]
    assert now(session, OWN[2]) == []


def test_no_label_takes_proposed_ones_away(session: Session) -> None:
    text = live.text_of(0)
    assert spread(session, form(None), [f"{text_digest(text)}:4:10"]) == 1
    screen = session.texts.prefill(session.plan["product"], text_digest(text), blind=False)
    assert [(s.start, s.label) for s in screen.annotation.spans] == [(16, "MAKER")]


@pytest.mark.parametrize("action, why", [("reject", "rejected"), ("flag", "put aside")])
def test_a_text_without_an_annotation_is_left_alone(
    session: Session, action: str, why: str
) -> None:
    whole(session, OWN[0], action=action, annotation=None)
    found = Spreader(session.texts).find(form()).occurrences
    (place,) = (o for o in found if o.digest == text_digest(OWN[0]))
    assert place.blocked == f"the text was {why}"
    assert spread(session, form(), [place.id]) == 0


def test_what_overlaps_with_a_decided_span_is_left_alone(session: Session) -> None:
    whole(session, OWN[2], (0, 10, "PHONE"))
    found = Spreader(session.texts).find(form()).occurrences
    blocked = {o.id: o.blocked for o in found if o.digest == text_digest(OWN[2])}
    assert sorted(map(str, blocked.values())) == ["None", "overlaps with 'Nebula Pro' (PHONE)"]
    assert spread(session, form(), list(blocked)) == 1
    assert now(session, OWN[2]) == [(0, 10, "PHONE"), (17, 23, "PHONE")]


def test_links_are_spread_by_their_ids(session: Session) -> None:
    wanted = Form("link", "Nebula", "P2")
    found = Spreader(session.texts).find(wanted).occurrences
    assert len(found) == 6  # texts with a mention
    assert {o.now for o in found} == {"P1"}
    decisions = Spreader(session.texts).decide(
        wanted, [found[0].id], annotator="ann", uid="u", time=1.0, mode="consistency"
    )
    (span,) = (decisions[0].annotation or Annotation()).spans
    assert (span.label, span.kb_id, decisions[0].mode) == ("PHONE", "P2", "consistency")


# What is refused


@pytest.mark.parametrize(
    "wanted, words",
    [
        (Form("topics", "Nebula", "CAMERA"), "kind textcat"),
        (Form("made", "Nebula", "MADE_BY"), "kind relations"),
        (Form("product", "Nebula", "NO_SUCH"), "NO_SUCH"),
        (Form("product", "  ", "PHONE"), "2 characters"),
        (Form("product", "x" * 201, "PHONE"), "201 characters"),
        (Form("link", "Nebula", None), "NIL"),
        (Form("link", "Nebula", "P9"), "P9"),
    ],
)
def test_what_can_not_be_spread_is_refused(
    session: Session, wanted: Form, words: str, fails: Any
) -> None:
    with fails("H222", words):
        Spreader(session.texts).find(wanted)
    with fails("H222", words):
        spread(session, wanted, [])


def test_an_unknown_task_is_refused(session: Session, fails: Any) -> None:
    with fails("H215", "elsewhere"):
        Spreader(session.texts).find(Form("elsewhere", "Nebula", "PHONE"))


@pytest.mark.parametrize("place", ["{own}:0:1", "{own}:3:9", "0123:16:22", "x", "{own}:-6:-1"])
def test_places_where_the_form_is_not_are_refused(session: Session, place: str, fails: Any) -> None:
    with fails("H223"):
        spread(session, form(), [place.format(own=text_digest(OWN[0]))])


def test_too_much_at_once_and_other_modes_are_refused(session: Session, fails: Any) -> None:
    with fails("H222", "5001"):
        spread(session, form(), ["x"] * 5001)
    with fails("H222", "bulk"):
        spread(session, form(), [], mode="bulk")


def test_gold_is_neither_asked_from_nor_decided_on(session: Session, fails: Any) -> None:
    gold = text_digest(live.text_of(6))
    assert session.texts.lane(gold) == GOLD
    with fails("H222", "gold"):
        Spreader(session.texts).form_at("product", gold, 4, 10)
    with fails("H056"):
        spread(session, form(), [f"{gold}:4:10"])
    assert Spreader(session.texts).form_at("product", text_digest(OWN[0]), 16, 22) == "Nebula"


# Forms that were treated differently


def test_treatments_follow_what_is_decided(session: Session) -> None:
    spreader = Spreader(session.texts)
    assert spreader.inconsistent("product") == ([], 0)
    whole(session, OWN[0], (16, 22, "PHONE"))
    whole(session, OWN[2], (0, 10, "PHONE"))
    spreader.changed([text_digest(OWN[0]), text_digest(OWN[2])])
    ((found,), total) = spreader.inconsistent("product")
    assert (found.form, dict(found.labels), total) == ("Nebula", {"PHONE": 1, "": 1}, 1)
    places = [o.id for o in spreader.find(form()).occurrences if o.digest == text_digest(OWN[2])]
    assert spread(session, form(), places, mode="consistency") == 1
    spreader.changed([text_digest(OWN[2])])
    assert spreader.inconsistent("product") == ([], 0)
    session.undo("ann", "back", "u")
    spreader.changed([text_digest(OWN[2])])
    assert spreader.inconsistent("product")[1] == 1


def test_gold_decisions_are_no_part_of_it(session: Session) -> None:
    whole(session, OWN[0], (16, 22, "PHONE"))
    whole(session, live.text_of(6), (4, 10, "MAKER"))
    spreader = Spreader(session.texts)
    spreader.changed([text_digest(live.text_of(6))])
    assert spreader.inconsistent("product") == ([], 0)
    spreader.changed([text_digest(live.text_of(6))])
    assert spreader.inconsistent("product") == ([], 0)


# Whatever the texts are

PIECES = st.lists(
    st.sampled_from(["Nebula", "nebula", "Pro", "Café", "Cafe\u0301", "星云", ","]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(PIECES, st.booleans()), min_size=1, max_size=8),
    st.sampled_from(["Nebula", "Café", "Nebula Pro", "星云", ","]),
    st.booleans(),
)
def test_gold_never_gets_a_decision(
    tmp_path_factory: pytest.TempPathFactory, texts: Any, words: str, any_case: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("spread"))
        live.write_project(train=1, gold=1, tasks=["product"])
        lanes: Dict[str, str] = {" ".join(p): GOLD if gold else "train" for p, gold in texts}
        with live.session() as found:
            rows = [Row("h", str(i), t, lane) for i, (t, lane) in enumerate(lanes.items())]
            found.dataset.add_rows(rows, LaneSettings())
            spreader = Spreader(found.texts)
            wanted = form(words=words, ignore_case=any_case)
            places = spreader.find(wanted, limit=1000).occurrences
            decisions = spreader.decide(
                wanted, [p.id for p in places], annotator="ann", uid="u", time=1.0
            )
            found.dataset.add_decisions(decisions)
            for d in (*places, *decisions):
                digest = d.digest if hasattr(d, "digest") else d.text_digest
                assert found.dataset.lane(digest) == "train"
            expected = {
                text_digest(t)
                for t, lane in lanes.items()
                if lane == "train" and _holds(found, t, words, any_case)
            }
            assert {p.digest for p in places} - {text_digest(live.text_of(0))} == expected


def _holds(session: Session, text: str, words: str, any_case: bool) -> bool:
    from spacy_hitl.review.spread.propagation import find_form

    tokens = session.texts.tokenize(text)
    places = list(zip(tokens.starts, tokens.ends, strict=True))
    return bool(find_form(text, places, words, ignore_case=any_case))


def test_texts_are_counted_as_they_are_found(session: Session) -> None:
    dataset = session.dataset
    for words, any_case in (("Nebula", False), ("NEBULA", True), ("星", False), ("nothing", False)):
        found = texts_holding(dataset, words, ignore_case=any_case, limit=100)
        assert count_holding(dataset, words, ignore_case=any_case) == len(found)
        assert all(session.texts.lane(t.digest) != GOLD for t in found)
