"""What the tests of adapters share: tasks of every kind, datasets to send round, ways there."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import spacy
from hypothesis import strategies as st

from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.adapters.doccano import read_doccano, write_doccano
from spacy_hitl.exchange.adapters.items import ExchangeTask, Item
from spacy_hitl.exchange.adapters.label_studio import read_label_studio
from spacy_hitl.exchange.adapters.label_studio_write import write_label_studio
from spacy_hitl.exchange.adapters.losses import LossReport
from spacy_hitl.exchange.adapters.prodigy import read_prodigy
from spacy_hitl.exchange.adapters.prodigy_write import write_prodigy
from spacy_hitl.exchange.incoming import FileStore
from spacy_hitl.exchange.outgoing import gather_items, read_snapshot
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    RelationAnnotation,
    Row,
    SpanAnnotation,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.settings import LaneSettings, Settings
from spacy_hitl.tasks.linking.catalog import CatalogEntry
from spacy_hitl.tasks.spans import token_offsets

NLP = spacy.blank("en")
DIGEST = "0123456789abcdef"
MODEL = "model:one"
KEY = (MODEL, 1, DIGEST)
LABELS = ("A", "B", 'an <odd> "label" é😀')
ENTRIES = (CatalogEntry("Q1", "Nebula", ("nebula",)), CatalogEntry("Q2", "שלום"))


def task_of(
    kind: str, labels: Tuple[str, ...] = LABELS, *, exclusive: bool = False
) -> ExchangeTask:
    """A task of a kind, called like it."""
    if kind == "linking":
        header = TaskHeader("task", kind, ("Q1", "Q2"), DIGEST)
        return ExchangeTask(header, "THING", ENTRIES)
    key = "sc" if kind == "spancat" else None
    header = TaskHeader("task", kind, labels, DIGEST, exclusive=exclusive, spans_key=key)
    return ExchangeTask(header)


TASKS = {
    "ner": task_of("ner"),
    "spancat": task_of("spancat"),
    "textcat": task_of("textcat"),
    "exclusive": task_of("textcat", exclusive=True),
    "linking": task_of("linking"),
    "relations": task_of("relations"),
}

# Characters of several planes and directions, and ones that are shown as one or as nothing.
PIECES = st.sampled_from(
    [
        *("Nebula", "a", "K10", "e\u0301te\u0301", "שלום", "مرحبا", "日本", "😀", "👩\u200d🚒"),
        *("𝔘", "🇨🇭", "\u0939\u093f", "\u200f", "İ", " ", "  ", "\n", "\r\n", "\t", "\u2028", "."),
        *('"', "<b>", "&amp;", "\\n", "=1+1"),
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=14).map("".join).filter(str.strip)


def annotations(text: str, task: ExchangeTask) -> st.SearchStrategy[Annotation]:
    """Annotations that the task can hold, anywhere in the text: on tokens or not."""
    labels, kind = task.header.labels, task.kind
    if kind == "textcat":
        held = st.sets(st.sampled_from(labels), max_size=1 if task.header.exclusive else None)
        if task.header.exclusive:
            held = st.sampled_from(labels).map(lambda label: {label})
        return held.map(
            lambda some: Annotation(cats=tuple(CategoryAnnotation(x) for x in labels if x in some))
        )
    offsets = st.integers(0, len(text) - 1)
    places = st.tuples(offsets, st.integers(1, 6)).map(
        lambda p: (p[0], min(p[0] + p[1], len(text)))
    )
    if kind == "spancat":
        spans = st.sets(
            st.builds(lambda p, x: SpanAnnotation(*p, x), places, st.sampled_from(labels))
        )
        return spans.map(lambda some: Annotation(spans=tuple(sorted(some))))
    apart = st.lists(places, max_size=5).map(_apart)
    if kind == "ner":
        return apart.flatmap(lambda found: _labelled(found, labels))
    if kind == "linking":
        return apart.flatmap(lambda found: _linked(found, (*labels, NIL), task.mention_label))
    return apart.flatmap(lambda found: _related(found, labels))


def _apart(places: Sequence[Tuple[int, int]]) -> List[Tuple[int, int]]:
    kept: List[Tuple[int, int]] = []
    for start, end in sorted(places):
        if not kept or kept[-1][1] <= start:
            kept.append((start, end))
    return kept


def _labelled(places: Any, labels: Any) -> Any:
    chosen = st.tuples(*(st.sampled_from(labels) for _ in places))
    return chosen.map(
        lambda names: Annotation(
            spans=tuple(SpanAnnotation(*p, n) for p, n in zip(places, names, strict=True))
        )
    )


def _linked(places: Any, ids: Any, label: str) -> Any:
    chosen = st.tuples(*(st.sampled_from(ids) for _ in places))
    return chosen.map(
        lambda names: Annotation(
            spans=tuple(
                SpanAnnotation(*p, label, kb_id=n) for p, n in zip(places, names, strict=True)
            )
        )
    )


def _related(places: Any, labels: Any) -> Any:
    pairs = [(h, t, x) for h in places for t in places for x in labels if h != t]
    if not pairs:
        return st.just(Annotation())
    return st.sets(st.sampled_from(pairs), max_size=4).map(
        lambda some: Annotation(
            relations=tuple(RelationAnnotation(*h, *t, x) for h, t, x in sorted(some))
        )
    )


NAMES = st.sampled_from(["ann", "bob 😀", "7"])
TIMES = st.none() | st.floats(0, 4e9)
SOURCES = st.none() | st.sampled_from([MODEL, "another model"])


@st.composite
def decisions(draw: Any, text: str, task: ExchangeTask) -> Decision:
    """Decisions about a whole text."""
    action = draw(st.sampled_from(["accept", "accept", "reject", "skip", "flag"]))
    found = annotations(text, task)
    return Decision(
        text_digest=text_digest(text),
        task="task",
        action=action,
        annotator=draw(NAMES),
        origin="person",
        task_digest=DIGEST,
        annotation=draw(found if action == "accept" else st.none() | found),
        saw_proposal=draw(SOURCES),
        seconds=draw(TIMES),
        time=draw(TIMES),
        flagged=draw(st.booleans()) if action != "flag" else True,
    )


@dataclass
class Content:
    """What a dataset holds, and the task it is about."""

    task: ExchangeTask
    rows: List[Row] = field(default_factory=list)
    decisions: List[Decision] = field(default_factory=list)
    proposals: List[Proposal] = field(default_factory=list)


@st.composite
def contents(draw: Any, kind: str) -> Content:
    """Datasets of a few texts: decided by one or two people, or by nobody, with proposals."""
    content = Content(TASKS[kind])
    metas = st.none() | st.dictionaries(st.sampled_from(["date", "é"]), st.integers(), max_size=2)
    for number, text in enumerate(draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))):
        content.rows.append(Row("rows.jsonl", f"r{number}", text, "train", draw(metas)))
        some = draw(st.lists(decisions(text, content.task), max_size=3))
        content.decisions += some
        if draw(st.booleans()):
            proposal = Proposal(
                text_digest(text),
                "task",
                MODEL,
                "ok",
                DIGEST,
                draw(annotations(text, content.task)),
            )
            empty = proposal.annotation == Annotation()
            content.proposals.append(
                Proposal.from_dict({**proposal.to_dict(), "status": "empty" if empty else "ok"})
            )
    return content


def history_of(task: ExchangeTask) -> TaskHistory:
    """A task that has always been the same."""
    return TaskHistory(TaskVersion(task.header, "meaning"), {})


def _through_json(records: List[Dict[str, Any]]) -> List[Tuple[str, Dict[str, Any]]]:
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    return [(f"file:{n}", json.loads(line)) for n, line in enumerate(lines, start=1)]


def _tokens(text: str) -> List[Tuple[int, int]]:
    return token_offsets(NLP.make_doc(text))


Round = Callable[[List[Item], ExchangeTask], Tuple[List[Item], LossReport, LossReport]]


def by_prodigy(items: List[Item], task: ExchangeTask) -> Any:
    """To Prodigy's records and back. RETURNS: items, lost on the way out, lost on the way in."""
    written, out = write_prodigy(items, task, _tokens)
    found, back = read_prodigy(_through_json(written), task)
    return found, out, back


def by_label_studio(items: List[Item], task: ExchangeTask) -> Any:
    """To Label Studio's tasks and back."""
    written, out = write_label_studio(items, task)
    found, back = read_label_studio(_through_json(written), task)
    return found, out, back


def by_doccano(items: List[Item], task: ExchangeTask) -> Any:
    """To doccano's lines and back."""
    written, out = write_doccano(items, task)
    found, back = read_doccano(_through_json(written), task)
    return found, out, back


@dataclass
class Result:
    """What came back: decisions and proposals by text, and everything that was lost.

    before: the decisions as they were stored, oldest first.
    """

    before: List[Decision]
    decisions: Dict[str, List[Decision]]
    proposals: Dict[str, List[Proposal]]
    rows: List[Row]
    out: LossReport
    back: LossReport

    def lost(self, reason: str) -> int:
        """How often, on both ways."""
        return self.out.count(reason) + self.back.count(reason)


def send(content: Content, way: Round, *, own: Optional[str] = None) -> Result:
    """A dataset in a file, to a tool's records, and into an empty dataset."""
    task = content.task
    with tempfile.TemporaryDirectory() as folder:
        with Dataset(Path(folder) / "one.db") as dataset:
            dataset.add_rows(content.rows, LaneSettings())
            dataset.add_proposals(content.proposals)
            dataset.add_decisions(content.decisions)
            snapshot = read_snapshot(dataset)
        items, out = gather_items(snapshot, history_of(task), KEY, lanes=["train"])
        found, more, back = way(items, task)
        with Dataset(Path(folder) / "two.db") as dataset, dataset.db.transaction():
            path = Path("import.jsonl")
            sources = set() if own is None else {own}
            store = FileStore(NLP, dataset, Settings(), path, annotator=None, own=sources)
            store.add(task, found)
            once = read_snapshot(dataset)
            again = FileStore(NLP, dataset, Settings(), path, annotator=None, own=sources)
            again.add(task, found)
            assert read_snapshot(dataset) == once, "an import can be repeated"
            result = store.result(back)
    return Result(
        [d for some in snapshot.decisions.values() for _, d in some],
        {digest: [d for _, d in some] for digest, some in once.decisions.items()},
        once.proposals,
        [row for rows in once.rows.values() for row in rows],
        out + more,
        result.lost,
    )
