"""What leaves the dataset: what holds now, of each annotator, and a count of all that does not."""

from typing import Any, Dict, List, Optional, Tuple

import pytest
from adapter_util import DIGEST, KEY, MODEL, history_of, task_of

from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.exchange.adapters.items import Answer, Item
from spacy_hitl.exchange.adapters.losses import LossReport
from spacy_hitl.exchange.outgoing import Snapshot, gather_items
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    ADJUDICATION,
    BULK,
    LANES,
    PROPAGATED,
    ROUTED,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    Row,
    TaskChanges,
    TaskVersion,
)

TASK = task_of("textcat", ("A", "B"))
TEXT = "Nebula"
TEXT_DIGEST = text_digest(TEXT)


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def made(action: str, annotator: str, *labels: str, **more: Any) -> Decision:
    held = cats(*labels) if action == "accept" else None
    digest = more.pop("task_digest", DIGEST)
    return Decision(TEXT_DIGEST, "task", action, annotator, "person", digest, held, **more)


def gather(
    decisions: List[Decision],
    *,
    lane: str = "train",
    history: Optional[TaskHistory] = None,
    proposals: Tuple[Proposal, ...] = (),
) -> Tuple[Item, LossReport]:
    snapshot = Snapshot(
        rows={TEXT_DIGEST: [Row("r", "1", TEXT, lane)]},
        proposals={TEXT_DIGEST: list(proposals)},
        decisions={TEXT_DIGEST: list(enumerate(decisions))},
    )
    (item,), lost = gather_items(snapshot, history or history_of(TASK), KEY, lanes=LANES)
    return item, lost


def said(item: Item) -> Dict[Optional[str], Tuple[str, Optional[Annotation]]]:
    return {a.annotator: (a.action, a.annotation) for a in item.answers}


def test_the_last_answer_of_each_annotator() -> None:
    item, lost = gather(
        [
            made("accept", "ann", "A"),
            made("accept", "bob", "B", saw_proposal="m", seconds=3.0, time=5.0, flagged=True),
            made("accept", "ann", "A", "B"),
            made("skip", "ann"),
        ]
    )
    assert item.answers == (
        Answer("accept", cats("B"), "bob", "m", 3.0, 5.0, flagged=True),
        Answer("accept", cats("A", "B"), "ann"),
    )
    assert lost.count("earlier decisions of the same annotator") == 1


def test_what_was_undone_is_gone() -> None:
    item, _ = gather([made("accept", "ann", "A", uid="u"), made("undo", "ann", undoes="u")])
    assert item.answers == ()


def test_an_adjudication_comes_last() -> None:
    """A tool knows only the order: whoever reads the file must end with what holds."""
    item, _ = gather(
        [
            made("accept", "ann", "A", mode=ADJUDICATION),
            made("accept", "bob", "B", mode=ROUTED),
        ]
    )
    assert [a.annotator for a in item.answers] == ["bob", "ann"]


def test_what_no_tool_can_hold_is_counted() -> None:
    item, lost = gather(
        [
            made("accept", "ann", "A", labels=("A",)),
            made("accept", "bob", "B", note="hm", mode=ROUTED, edits=1, uid="u"),
        ]
    )
    assert said(item) == {"bob": ("accept", cats("B"))}
    for reason in ("some labels or parts", "notes of decisions", "mode, edits, uid"):
        assert lost.count(reason) == 1, reason


@pytest.mark.parametrize(
    "mode, lane, kept", [(BULK, "train", 0), (PROPAGATED, "gold", 0), (PROPAGATED, "train", 1)]
)
def test_what_nobody_read_is_no_answer(mode: str, lane: str, kept: int) -> None:
    item, lost = gather([made("accept", "ann", "A", mode=mode)], lane=lane)
    assert len(item.answers) == kept
    assert lost.count("nobody made by reading the text") == 1 - kept


def test_decisions_under_an_older_task_say_what_they_say_now() -> None:
    older = task_of("textcat", ("OLD", "GONE")).header
    then = TaskVersion(type(older)(**{**vars(older), "task_digest": "older"}), "another meaning")
    now = TaskVersion(TASK.header, "meaning", TaskChanges(rename={"OLD": "A"}))
    history = TaskHistory(now, {"older": then})
    decision = made("accept", "ann", "OLD", task_digest="older")
    item, lost = gather([decision], history=history)
    # B was not looked at: nothing is known of the whole text.
    assert item.answers == () and lost.count("some labels or parts") == 1
    now = TaskVersion(TASK.header, "meaning", TaskChanges(rename={"OLD": "A", "GONE": "B"}))
    item, lost = gather([decision], history=TaskHistory(now, {"older": then}))
    assert said(item) == {"ann": ("accept", cats("A"))}
    assert lost.count("under which version of the task") == 1


def test_a_task_of_another_kind_leaves_nothing() -> None:
    older = task_of("ner", ("A", "B")).header
    then = TaskVersion(type(older)(**{**vars(older), "task_digest": "older"}), "another meaning")
    history = TaskHistory(TaskVersion(TASK.header, "meaning"), {"older": then})
    item, lost = gather([made("accept", "ann", "A", task_digest="older")], history=history)
    assert item.answers == () and lost.count("leaves nothing") == 1


def proposed(source: str = MODEL, status: str = "ok", digest: str = DIGEST) -> Proposal:
    return Proposal(TEXT_DIGEST, "task", source, status, digest, cats("A"))


@pytest.mark.parametrize(
    "proposal, decisions, lane, reason",
    [
        (proposed(), [], "train", None),
        (proposed(), [], "gold", "gold"),
        (proposed(), [made("accept", "ann", "A")], "train", "decided"),
        (proposed(status="unaligned"), [], "train", "status unaligned"),
        (proposed(source="other"), [], "train", "other models"),
        (proposed(digest="older"), [], "train", "versions of the task"),
    ],
)
def test_usable_proposals_go_along_with_undecided_texts(
    proposal: Any, decisions: Any, lane: str, reason: Optional[str]
) -> None:
    item, lost = gather(decisions, lane=lane, proposals=(proposal,))
    assert len(item.suggestions) == (reason is None)
    assert reason is None or lost.count(reason) == 1


def test_one_row_stands_for_a_text() -> None:
    snapshot = Snapshot(
        rows={TEXT_DIGEST: [Row("a", "1", TEXT, "dev"), Row("b", "2", TEXT, "dev")]}
    )
    (item,), lost = gather_items(snapshot, history_of(TASK), KEY, lanes=["dev"])
    assert item.id == "1" and lost.count("more rows with the same text") == 1
    assert lost.count("sources of rows") == 1
    assert gather_items(snapshot, history_of(TASK), KEY, lanes=["train"]) == ([], LossReport())
