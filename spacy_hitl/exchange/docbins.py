"""DocBins in and out: a dataset of ours without loss, or anybody's gold data."""

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from spacy.language import Language

from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..dataset.task_versions import remember
from ..io import write_bytes
from ..pipeline.loading import prompted_tasks
from ..settings import Settings
from .adapters.docbin import (
    StoredText,
    count_layers,
    read_docbin,
    read_gold,
    stored_text,
    write_docbin,
)
from .adapters.items import KINDS, Item, exchange_task
from .adapters.losses import Losses
from .incoming import FileStore, FormatImport, store_texts
from .outgoing import FormatExport, Snapshot, stored_texts

NAME = "dataset.spacy"


def export_docbin(
    nlp: Language,
    snapshot: Snapshot,
    folder: Path,
    histories: Sequence[TaskHistory],
    *,
    task: Optional[str],
    lanes: Sequence[str],
) -> FormatExport:
    """Write all texts of some lanes with their decisions to one file.

    nlp (Language): The pipeline, for its tokenizer.
    snapshot (Snapshot): The dataset.
    folder (Path): Where to write.
    histories (Sequence[TaskHistory]): The tasks whose decisions are set on the documents.
    task (Optional[str]): Only decisions of this task; all if not given.
    lanes (Sequence[str]): The lanes to write.
    RETURNS (FormatExport): The file, and what is not kept.
    """
    texts, lost = stored_texts(snapshot, lanes=lanes, task=task)
    path = folder / NAME
    write_bytes(path, write_docbin(texts, histories, nlp.make_doc))
    return FormatExport({path: len(texts)}, lost)


def import_docbin(
    nlp: Language,
    settings: Settings,
    path: Path,
    *,
    task: Optional[str],
    annotator: Optional[str],
) -> FormatImport:
    """Bring the documents of a DocBin in: all or nothing.

    nlp (Language): The pipeline: it knows the tasks.
    settings (Settings): The project's settings.
    path (Path): The file.
    task (Optional[str]): Only this task; all that a document says something about if not given.
    annotator (Optional[str]): Who decided, where the file does not say.
    RETURNS (FormatImport): What was stored, and what was lost.
    RAISES (InputError): If it is no DocBin, or a text or row can't be stored.
    """
    prompted = prompted_tasks(nlp)
    names = [n for n, p in prompted.items() if n == task or (not task and p.task.kind in KINDS)]
    tasks = [exchange_task(name, prompted[name].task, "docbin") for name in names]
    losses = Losses()
    ours: List[Tuple[str, str, StoredText]] = []
    texts: List[Item] = []
    answers: Dict[str, List[Item]] = {name: [] for name in names}
    for number, doc in enumerate(read_docbin(path.read_bytes(), nlp.vocab, str(path)), start=1):
        where = f"{path} (document {number})"
        stored = stored_text(doc, where)
        if stored is not None:
            ours.append((where, doc.text, stored if task is None else _only(stored, task)))
            continue
        texts.append(Item(doc.text, where))
        count_layers(doc, tasks, where, losses)
        for one in tasks:
            item = read_gold(doc, one, where, losses, named=task is not None)
            answers[one.header.task] += [] if item is None else [item]
    with Dataset(settings.dataset) as dataset, dataset.db.transaction():
        remember(dataset, {n: p.task for n, p in prompted.items()}, settings.changes)
        counts = store_texts(dataset, ours, settings)
        store = FileStore(nlp, dataset, settings, path, annotator=annotator, own=set())
        store.add_texts([*texts, *(Item(text, where) for where, text, _ in ours)])
        for one in tasks:
            store.add(one, answers[one.header.task])
        for what, count in counts.items():
            store.count(what, count)
        return store.result(losses.report())


def _only(stored: StoredText, task: str) -> StoredText:
    kept = [
        (number, decision)
        for number, decision in zip(stored.order, stored.decisions, strict=True)
        if decision.task == task
    ]
    return replace(stored, decisions=tuple(d for _, d in kept), order=tuple(n for n, _ in kept))
