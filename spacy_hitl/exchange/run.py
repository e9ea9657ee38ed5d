"""Import and export of a project, whose config names the dataset and the tasks."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..dataset.corpus import write_corpus
from ..dataset.exchange import dump, is_dump, load, read_decisions
from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..dataset.task_versions import remember
from ..dataset.views import GoldSet, TrainingSet
from ..io import file_digest, find_file, write_bytes, write_jsonl
from ..pipeline.loading import load_prompted, prompted_tasks, version_keys
from ..records import Annotation, Decision, TaskHeader, TaskRow
from ..scoring.scores import score_rows
from ..tasks.near_duplicates import NEAR, NearDuplicates, check_threshold
from ..tasks.reference import set_reference
from ..tasks.relations.annotations import mentions_of
from .confidence import answers_behind
from .exported import TaskState, task_states, write_exported


@dataclass(frozen=True)
class ImportSummary:
    """What an import brought: counts by kind, fields that were not read, whether it decided.

    misaligned: spans that don't stand on token boundaries: no spaCy component can learn them.
    """

    counts: Dict[str, int]
    unused: Tuple[str, ...] = ()
    decisions: bool = False
    misaligned: Tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportSummary:
    """Texts per file, and texts per file that were left out for being nearly a gold text."""

    counts: Dict[Path, int]
    near_gold: Dict[Path, int]


def import_file(config: Path, path: Path, *, annotator: Optional[str] = None) -> ImportSummary:
    """Bring decisions, or a whole dataset, into the project's dataset.

    config (Path): Config of the prompted pipeline: it knows the tasks and their labels.
    path (Path): JSONL in the compact form (one field per task), or written by `export_all`.
    annotator (Optional[str]): Who decided.
    RETURNS (ImportSummary): What was stored.
    RAISES (InputError): If a line can't be used; nothing of the file is stored then.
    """
    nlp, settings = load_prompted(config)
    find_file(path, what="import file")
    tasks = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
    with Dataset(settings.dataset) as dataset:
        if is_dump(path):
            return ImportSummary(load(path, dataset, settings))
        remember(dataset, tasks, settings.changes)
        decisions, unused = read_decisions(path, dataset, tasks, annotator=annotator)
        new = dataset.add_decisions(decisions)
        misaligned = misaligned_spans(nlp, dataset, decisions)
    counts = {"decisions read": len(decisions), "of these new": new}
    return ImportSummary(counts, tuple(unused), decisions=True, misaligned=misaligned)


def misaligned_spans(
    nlp: Language, dataset: Dataset, decisions: Sequence[Decision]
) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): The decided spans that don't stand on token boundaries."""
    found = []
    for d in decisions:
        annotation = d.annotation or Annotation()
        spans = annotation.spans + mentions_of(annotation)
        doc = nlp.make_doc(dataset.text(d.text_digest)) if spans else None
        for s in spans:
            if doc is not None and doc.char_span(s.start, s.end) is None:
                found.append(f"{d.task}: {doc.text[s.start : s.end]!r} at {s.start} to {s.end}")
    return tuple(found)


def export_corpora(
    config: Path, *, docbin: bool = False, near_duplicates: Optional[float] = NEAR
) -> ExportSummary:
    """Write what training and evaluation read: the same files for the same dataset and answers.

    Proposals in lanes train and dev get their scores here (`scoring.scores`).

    config (Path): Config of the prompted pipeline.
    docbin (bool): Write decided texts as .spacy files too.
    near_duplicates (Optional[float]): Leave out of lanes train and dev what is this similar to a
        text of lane gold, decided or not (see `NearDuplicates`); None leaves nothing out.
    RETURNS (ExportSummary): Texts per file: corpus/<task>.jsonl (lanes train and dev) and
        corpus/gold/<task>.jsonl (lane gold, decided texts only).
    """
    nlp, settings = load_prompted(config)
    counts: Dict[Path, int] = {}
    near_gold: Dict[Path, int] = {}
    if near_duplicates is not None:
        check_threshold(near_duplicates)
    tasks = prompted_tasks(nlp)
    versions = version_keys(config)
    now = {name: prompted.task for name, prompted in tasks.items()}
    with TrainingSet(settings.dataset) as training:
        histories = training.histories(now, settings.changes, path=config)
    states = _states(settings.dataset, histories)  # before: what comes in meanwhile is newer
    apart = _Apart(settings.dataset, near_duplicates)
    for name, prompted in tasks.items():
        history = histories[name]
        header = history.header
        key = prompted.key
        with (
            TrainingSet(settings.dataset) as training,
            answers_behind(prompted, nlp, settings) as answers,
        ):
            found = training.sample_rows(name, key=key, versions=versions[name], history=history)
            scored = score_rows(found, answers=answers.about)
        with GoldSet(settings.dataset) as gold:
            gold_rows = list(gold.task_rows(name, history=history))
        # After scoring: which texts are gold must not change a score.
        rows = [row for row in scored if row not in apart]
        near_gold[settings.corpus / f"{name}.jsonl"] = len(scored) - len(rows)
        for folder, some in ((settings.corpus, rows), (settings.corpus / "gold", gold_rows)):
            path = folder / f"{name}.jsonl"
            write_corpus(path, header, some)
            counts[path] = len(some)
            if docbin:
                counts[path.with_suffix(".spacy")] = _write_docbin(
                    nlp, path.with_suffix(".spacy"), header, some
                )
        states[name] = replace(
            states[name],
            corpus=file_digest(settings.corpus / f"{name}.jsonl"),
            gold_corpus=file_digest(settings.corpus / "gold" / f"{name}.jsonl"),
        )
    write_exported(settings.corpus, states)
    return ExportSummary(counts, near_gold)


def _states(path: Path, histories: Dict[str, TaskHistory]) -> Dict[str, TaskState]:
    dataset = Dataset(path)
    dataset.db.open(readonly=True)
    try:
        return task_states(dataset, histories)
    finally:
        dataset.db.close()


class _Apart:
    """The texts that are nearly a gold text. Each is compared once, whatever the task."""

    def __init__(self, path: Path, threshold: Optional[float]) -> None:
        self._gold: Optional[NearDuplicates] = None
        if threshold is not None:
            with GoldSet(path) as gold:
                self._gold = NearDuplicates(gold.texts(), threshold=threshold)
        self._known: Dict[str, bool] = {}

    def __contains__(self, row: TaskRow) -> bool:
        if self._gold is None:
            return False
        if row.text_digest not in self._known:
            self._known[row.text_digest] = row.text in self._gold
        return self._known[row.text_digest]


def export_all(config: Path, path: Path) -> int:
    """Write the whole dataset as JSON lines.

    RETURNS (int): How many records were written.
    """
    _, settings = load_prompted(config)
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        return write_jsonl(path, dump(dataset))
    finally:
        dataset.db.close()


def _write_docbin(nlp: Language, path: Path, header: TaskHeader, rows: Sequence[TaskRow]) -> int:
    docs: List[Doc] = []
    for row in rows:
        if row.decision is not None:
            doc = nlp.make_doc(row.text)
            set_reference(doc, row.decision, header)
            doc.user_data.update(text_digest=row.text_digest, lane=row.lane)
            docs.append(doc)
    write_bytes(path, DocBin(docs=docs, store_user_data=True).to_bytes())
    return len(docs)
