"""Which decisions are evidence: drawn at random, and read blind."""

from dataclasses import replace
from typing import Any, Optional

import pytest

from spacy_hitl.dataset.basis import (
    CHOSEN,
    SHOWN,
    UNBIASED,
    UNKNOWN,
    accepted_unseen,
    audit_of,
    basis_of,
    worst,
)
from spacy_hitl.dataset.decisions import standing
from spacy_hitl.records import Annotation, Decision, SpanAnnotation

ONE, OTHER = (Annotation(spans=(SpanAnnotation(0, end, "A"),)) for end in (1, 2))


def made(mode: Optional[str], annotator: str = "ann", **values: Any) -> Decision:
    """An accepted text; `seen` says whether the proposal was shown."""
    seen = values.pop("seen", mode in ("routed", "random", "recheck", "recall", "bulk"))
    decision = Decision(
        "d", "t", "accept", annotator, "person", "v", ONE, "m" if seen else None, mode=mode
    )
    return replace(decision, **values)


BULK = made("bulk", "bo", uid="b")


def basis(*decisions: Decision, lane: str = "train") -> Optional[str]:
    found = standing(decisions)
    assert found is not None
    return basis_of(decisions, found, lane=lane)


@pytest.mark.parametrize(
    "lane, modes, wanted",
    [
        ("gold", ["blind"], UNBIASED),
        ("gold", ["blind", "reopened"], UNBIASED),
        ("gold", ["random"], SHOWN),  # in a session of another tool
        ("train", ["calibration"], UNBIASED),
        ("train", ["calibration", "random"], SHOWN),
        ("train", ["random"], SHOWN),
        ("dev", ["random", "reopened"], SHOWN),
        ("train", ["routed"], CHOSEN),
        ("dev", ["recall"], CHOSEN),
        ("train", ["random", "recheck"], CHOSEN),
        ("train", ["routed", "random"], CHOSEN),
        ("train", ["bulk"], None),
        ("train", ["propagated"], None),
        ("train", ["bulk", "blind"], CHOSEN),  # drawn from what was accepted, not from all
    ],
)
def test_bases(lane: str, modes: Any, wanted: Optional[str]) -> None:
    assert basis(*map(made, modes), lane=lane) == wanted


def test_files_do_not_say_how_they_came_about() -> None:
    from_file = made(None, "import:x", origin="import")
    assert basis(from_file) == UNKNOWN
    assert basis(from_file, lane="gold") == UNBIASED
    assert basis(replace(from_file, saw_proposal="m"), lane="gold") == SHOWN


def test_who_saw_the_proposal_has_seen_it() -> None:
    """Also if the first answer was taken back."""
    seen = made("random", uid="1")
    back = made(None, action="undo", undoes="1", annotation=None)
    assert basis(seen, back, made("blind"), lane="gold") == SHOWN


def test_the_worst_counts() -> None:
    assert worst([UNBIASED, UNBIASED]) == UNBIASED
    assert worst([SHOWN, CHOSEN, UNKNOWN, UNBIASED]) == CHOSEN


# What was accepted unseen


def test_accepted_and_still_so_after_a_look() -> None:
    assert accepted_unseen([BULK]) == BULK
    assert accepted_unseen([BULK, made("recheck")]) == BULK
    assert accepted_unseen([made("routed", action="skip"), BULK]) == BULK


def test_taken_back_or_decided_before_is_not_accepted() -> None:
    back = made(None, "bo", action="undo", undoes="b", annotation=None)
    assert accepted_unseen([BULK, back]) is None
    assert accepted_unseen([made("routed"), BULK]) is None
    assert accepted_unseen([made("routed")]) is None
    assert audit_of([BULK, back, made("blind")]) is None


def test_an_audit_is_blind_and_later() -> None:
    own = made("blind", annotation=OTHER)
    assert audit_of([BULK, own]) == own
    assert audit_of([BULK, made("blind", "bo")]) == made("blind", "bo")  # who accepted never looked
    assert audit_of([BULK]) is None
    for mode in ("recheck", "random", "routed", "reopened", "propagated"):
        assert audit_of([BULK, made(mode)]) is None
    assert audit_of([BULK, made("blind", action="skip")]) is None
    assert audit_of([BULK, made("blind", action="reject")]) == made("blind", action="reject")


def test_an_audit_that_was_answered_again() -> None:
    first = made("blind", uid="1")
    back = made(None, action="undo", undoes="1", annotation=None)
    again = made("reopened", annotation=OTHER)
    assert audit_of([BULK, first, back]) is None
    assert audit_of([BULK, first, back, again]) == again
    # What was changed later with the proposal in sight is no audit.
    assert audit_of([BULK, first, replace(again, saw_proposal="m")]) == first
    assert audit_of([BULK, first, made("reopened", "cy")]) == first
