"""What adapters read, into the dataset: texts as rows, then proposals, then decisions."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Set, Tuple

from spacy.language import Language

from ..dataset.exchange import ROW, dump
from ..dataset.rows import check_row
from ..dataset.store import Dataset
from ..io import check_text, text_digest
from ..records import (
    ACCEPT,
    EMPTY,
    IMPORT,
    OK,
    UNALIGNED,
    Annotation,
    Decision,
    Proposal,
    Row,
)
from ..settings import Settings
from .adapters.docbin import StoredText
from .adapters.items import ExchangeTask, Item
from .adapters.losses import Losses, LossReport
from .run import misaligned_spans


class RowIndex:
    """The stored rows, by text and by name."""

    def __init__(self, dataset: Dataset) -> None:
        self.by_text: Dict[str, List[Row]] = {}
        self.texts: Dict[Tuple[str, str], str] = {}
        for value in dump(dataset):
            if value.pop("record") != ROW:
                break
            self.add(Row.from_dict(value))

    def add(self, row: Row) -> None:
        """Take a row up."""
        digest = text_digest(row.text)
        self.by_text.setdefault(digest, []).append(row)
        self.texts[row.source, row.id] = digest

    def free_id(self, source: str, id_: str, digest: str) -> str:
        """RETURNS (str): The id, or a longer one if it is the id of another text of this source."""
        taken = self.texts.get((source, id_), digest) != digest
        return f"{id_}-{digest[:12]}" if taken else id_


def new_rows(
    items: Sequence[Item], index: RowIndex, *, source: str, settings: Settings
) -> Tuple[List[Row], LossReport]:
    """Make rows for the texts that are not stored.

    items (Sequence[Item]): What was read.
    index (RowIndex): The stored rows; the new ones are added to it.
    source (str): Name of the file.
    settings (Settings): The project's settings.
    RETURNS (Tuple[List[Row], LossReport]): One row per new text, without a lane: it is drawn. And
        what is not stored because the text is there already.
    RAISES (InputError): If a text can't be stored.
    """
    losses = Losses()
    rows = []
    for number, item in enumerate(items, start=1):
        digest = text_digest(item.text)
        stored = index.by_text.get(digest)
        if stored is not None:
            if not any(item.meta.items() <= (row.meta or {}).items() for row in stored):
                losses.add("meta of texts that are stored already", item.where)
            continue
        id_ = index.free_id(source, item.id or str(number), digest)
        row = Row(source=source, id=id_, text=item.text, meta=item.meta)
        rows.append(check_row(row, where=item.where, settings=settings.data))
        index.add(row)
    return rows, losses.report()


def new_decisions(
    items: Sequence[Item], task: str, task_digest: str, *, annotator: str
) -> Tuple[List[Decision], LossReport]:
    """Make decisions of answers.

    items (Sequence[Item]): What was read.
    task (str): Name of the task.
    task_digest (str): Its version, under which they count.
    annotator (str): Who decided, where the file does not say.
    RETURNS (Tuple[List[Decision], LossReport]): The last answer of each annotator to each text, in
        the order of the file; and what is not kept.
    RAISES (InputError): If the name of an annotator can't be stored.
    """
    losses = Losses()
    decisions: Dict[Tuple[str, str], List[Decision]] = {}
    now = time.time()
    for item in items:
        digest = text_digest(item.text)
        for answer in item.answers:
            name = answer.annotator or annotator
            for value in (name, answer.saw_proposal or name):
                check_text(value, where=f"{item.where} (name)", max_chars=1000)
            decision = Decision(
                text_digest=digest,
                task=task,
                action=answer.action,
                annotator=name,
                origin=IMPORT,
                task_digest=task_digest,
                annotation=answer.annotation,
                saw_proposal=answer.saw_proposal,
                seconds=answer.seconds,
                time=now if answer.time is None else answer.time,
                labels=answer.labels,
                ranges=answer.ranges,
                flagged=answer.flagged,
            )
            earlier = decisions.setdefault((digest, name), [])
            whole = answer.labels is None and answer.ranges is None
            if earlier and whole:  # one about everything replaces what was said before
                losses.add("earlier answers of the same annotator", item.where, name)
                earlier.clear()
            earlier.append(decision)
    return [d for group in decisions.values() for d in group], losses.report()


def not_stored(dataset: Dataset, decisions: Sequence[Decision]) -> List[Decision]:
    """Leave out what a file says again: an import can be repeated.

    dataset (Dataset): The dataset.
    decisions (Sequence[Decision]): All that a file says about some texts and one task.
    RETURNS (List[Decision]): The decisions of those annotators and texts for which they are not
        already the last that is stored, whenever it was made.
    """
    groups: Dict[Tuple[str, str], List[Decision]] = {}
    for d in decisions:
        groups.setdefault((d.text_digest, d.annotator), []).append(d)
    new = []
    for (digest, name), group in groups.items():
        stored = [d for d in dataset.decisions(group[0].task, digest) if d.annotator == name]
        tail = [replace(d, time=None, seconds=None) for d in stored[-len(group) :]]
        if tail != [replace(d, time=None, seconds=None) for d in group]:
            new += group
    return new


def new_proposals(
    items: Sequence[Item], task: str, task_digest: str, *, own: Set[str]
) -> Tuple[List[Proposal], LossReport]:
    """Make proposals of suggestions.

    items (Sequence[Item]): What was read.
    task (str): Name of the task.
    task_digest (str): Its version, under which they count.
    own (Set[str]): The project's own models: what they proposed is stored, and what comes back may
        be about another version of the task.
    RETURNS (Tuple[List[Proposal], LossReport]): The proposals, and what is not kept.
    RAISES (InputError): If the name of a source can't be stored.
    """
    losses = Losses()
    samples: Dict[Tuple[str, str], int] = {}
    proposals = []
    for item in items:
        digest = text_digest(item.text)
        for one in item.suggestions:
            if one.source in own:
                losses.add("proposals of this project's own model", item.where, one.source)
                continue
            check_text(one.source, where=f"{item.where} (model)", max_chars=1000)
            sample = samples.get((digest, one.source), 0) + 1
            samples[digest, one.source] = sample
            found = EMPTY if one.annotation == Annotation() else OK
            proposals.append(
                Proposal(
                    text_digest=digest,
                    task=task,
                    source=one.source,
                    status=UNALIGNED if one.problems else found,
                    task_digest=task_digest,
                    annotation=one.annotation,
                    problems=one.problems,
                    sample=sample,
                )
            )
    return proposals, losses.report()


def store_texts(
    dataset: Dataset, texts: Sequence[Tuple[str, str, StoredText]], settings: Settings
) -> Dict[str, int]:
    """Store what our own DocBin holds: rows with their lanes, and decisions as they were made.

    dataset (Dataset): Where to add it; what is there stays.
    texts (Sequence[Tuple[str, str, StoredText]]): Place in the file, text, what is known of it.
    settings (Settings): The project's settings.
    RETURNS (Dict[str, int]): What was read.
    RAISES (InputError): If a text is stored in another lane, or a row with another text.
    """
    rows = [
        check_row(
            Row(name.source, name.id, text, stored.lane, name.meta),
            where=where,
            settings=settings.data,
        )
        for where, text, stored in texts
        for name in stored.rows
    ]
    ordered = sorted(
        (pair for *_, stored in texts for pair in zip(stored.order, stored.decisions, strict=True)),
        key=lambda pair: pair[0],
    )
    dataset.add_rows(rows, settings.lanes)
    # One that is stored already is history: it must not come back as the last word.
    new = [d for _, d in ordered if d not in dataset.decisions(d.task, d.text_digest)]
    added = dataset.add_decisions(new)
    return {"rows": len(rows), "decisions read": len(ordered), "of these new": added}


@dataclass(frozen=True)
class FormatImport:
    """What an import brought, and what it could not carry.

    counts: by kind. misaligned: spans that don't stand on token boundaries.
    """

    counts: Dict[str, int]
    lost: LossReport
    misaligned: Tuple[str, ...] = ()


class FileStore:
    """Stores what was read of one file, task by task. The caller holds the transaction.

    nlp (Language): The pipeline, for its tokenizer.
    dataset (Dataset): Where to store it.
    settings (Settings): The project's settings.
    path (Path): The file.
    annotator (Optional[str]): Who decided, where the file does not say.
    own (Set[str]): Names of the project's own models.
    """

    def __init__(
        self,
        nlp: Language,
        dataset: Dataset,
        settings: Settings,
        path: Path,
        *,
        annotator: Optional[str],
        own: Set[str],
    ) -> None:
        self.nlp = nlp
        self.dataset = dataset
        self.settings = settings
        self.path = path
        self.annotator = annotator or f"import:{path.name}"
        self.own = own
        self._index = RowIndex(dataset)
        self._texts: Set[str] = set()
        self._counts: Dict[str, int] = {}
        self._lost = LossReport()
        self._misaligned: List[str] = []

    def add_texts(self, items: Sequence[Item]) -> None:
        """Store the texts that are new."""
        rows, left = new_rows(items, self._index, source=self.path.name, settings=self.settings)
        self._lost += left
        self.dataset.add_rows(rows, self.settings.lanes)
        self._texts |= {item.text for item in items}
        self.count("new texts", len(rows))

    def add(self, task: ExchangeTask, items: Sequence[Item]) -> None:
        """Store texts, proposals and decisions of one task."""
        name, digest = task.header.task, task.header.task_digest
        self.add_texts(items)
        proposals, not_kept = new_proposals(items, name, digest, own=self.own)
        decisions, earlier = new_decisions(items, name, digest, annotator=self.annotator)
        self._lost += not_kept + earlier
        self.dataset.add_proposals(proposals)
        self.count("proposals", len(proposals))
        self.count("decisions read", len(decisions))
        new = not_stored(self.dataset, decisions)
        self.count("of these new", self.dataset.add_decisions(new))
        accepted = [d for d in decisions if d.action == ACCEPT]
        self._misaligned += misaligned_spans(self.nlp, self.dataset, accepted)

    def count(self, what: str, number: int) -> None:
        """Count what was read or stored."""
        self._counts[what] = self._counts.get(what, 0) + number

    def result(self, lost: LossReport) -> FormatImport:
        """RETURNS (FormatImport): What was stored, and all that was lost on the way."""
        counts = {"texts read": len(self._texts), **self._counts}
        return FormatImport(counts, lost + self._lost, tuple(self._misaligned))
