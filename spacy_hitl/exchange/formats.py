"""`spacy hitl import` and `export` with --format: files of other tools, and DocBins."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from spacy.language import Language

from ..dataset.store import Dataset
from ..dataset.task_versions import read_histories, remember
from ..errors import Errors, InputError
from ..io import read_jsonl, read_text, write_bytes, write_json, write_jsonl
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import DEV, LANES, TRAIN, Annotation
from ..tasks.spans import token_offsets
from .adapters.doccano import read_doccano, write_doccano
from .adapters.fields import check_size
from .adapters.fit import FOREIGN
from .adapters.items import KINDS, ExchangeTask, Item, exchange_task
from .adapters.label_studio import read_label_studio
from .adapters.label_studio_write import labelling_config, write_label_studio
from .adapters.losses import Losses, LossReport
from .adapters.prodigy import read_prodigy
from .adapters.prodigy_write import write_prodigy
from .docbins import export_docbin, import_docbin
from .incoming import FileStore, FormatImport
from .outgoing import FormatExport, gather_items, read_snapshot

PRODIGY, LABEL_STUDIO, DOCCANO, DOCBIN = FORMATS = ("prodigy", "label-studio", "doccano", "docbin")


def import_format(
    config: Path,
    path: Path,
    *,
    format: str,
    task: Optional[str] = None,
    annotator: Optional[str] = None,
    confirmed: bool = False,
) -> FormatImport:
    """Bring the file of another tool, or a DocBin, into the project's dataset: all or nothing.

    config (Path): Config of the prompted pipeline.
    path (Path): The file.
    format (str): One of `FORMATS`.
    task (Optional[str]): The task it is about. If not given: the task that the file is named
        after, or the only one; for a DocBin all tasks.
    annotator (Optional[str]): Who decided, where the file does not say.
    confirmed (bool): doccano: all texts of the file were approved.
    RETURNS (FormatImport): What was stored, and what was lost.
    RAISES (InputError): If a record can't be used; nothing of the file is stored then.
    """
    check_format(format)
    nlp, settings = load_prompted(config)
    check_size(path)
    prompted = prompted_tasks(nlp)
    if task is not None and task not in prompted:
        known = ", ".join(prompted)
        raise InputError(Errors.H130.format(path=config, task=task, known=known))
    if format == DOCBIN:
        return import_docbin(nlp, settings, path, task=task, annotator=annotator)
    name = task or _guess_task(path, list(prompted))
    mine = exchange_task(name, prompted[name].task, format)
    items, lost = _read(path, mine, format, confirmed)
    _refuse_other_task(path, mine, items, lost)
    with Dataset(settings.dataset) as dataset, dataset.db.transaction():
        remember(dataset, {n: p.task for n, p in prompted.items()}, settings.changes)
        own = {p.source for p in prompted.values()}
        store = FileStore(nlp, dataset, settings, path, annotator=annotator, own=own)
        store.add(mine, items)
        return store.result(lost)


def export_format(
    config: Path,
    folder: Path,
    *,
    format: str,
    task: Optional[str] = None,
    lanes: Optional[Sequence[str]] = None,
) -> FormatExport:
    """Write files for another tool, one per task; or all texts and decisions as one DocBin.

    config (Path): Config of the prompted pipeline.
    folder (Path): Where to write.
    format (str): One of `FORMATS`.
    task (Optional[str]): Only this task.
    lanes (Optional[Sequence[str]]): The lanes to write; train and dev, for a DocBin all. Gold
        texts go without proposals.
    RETURNS (FormatExport): The files, and what was lost.
    RAISES (InputError): If there is no such task or lane, or the tool can't hold the task.
    """
    check_format(format)
    for lane in lanes or ():
        if lane not in LANES:
            problem = f"it is not one of {', '.join(LANES)}"
            raise InputError(Errors.H075.format(option="--lanes", value=lane, problem=problem))
    nlp, settings = load_prompted(config)
    prompted = prompted_tasks(nlp)
    if task is not None and task not in prompted:
        known = ", ".join(prompted)
        raise InputError(Errors.H130.format(path=config, task=task, known=known))
    chosen = [task] if task is not None else list(prompted)
    tasks = {name: one.task for name, one in prompted.items()}
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        snapshot = read_snapshot(dataset)
        histories = read_histories(dataset, tasks, settings.changes, path=config)
    finally:
        dataset.db.close()
    if format == DOCBIN:
        mine = [histories[name] for name in chosen]
        return export_docbin(nlp, snapshot, folder, mine, task=task, lanes=lanes or LANES)
    files: Dict[Path, int] = {}
    losses = Losses()
    lost = LossReport()
    for name in chosen:
        one = prompted[name]
        if task is None and one.task.kind not in KINDS:
            losses.add("tasks of a kind that no tool knows", name, one.task.kind)
            continue
        about = exchange_task(name, one.task, format)
        items, left = gather_items(snapshot, histories[name], one.key, lanes=lanes or (TRAIN, DEV))
        written, dropped = _write(nlp, folder, about, items, format)
        files.update(written)
        lost += left + dropped
    return FormatExport(files, lost + losses.report())


def check_format(format: str) -> None:
    """RAISES (InputError): If it is not one of `FORMATS`."""
    if format not in FORMATS:
        problem = f"it is not one of {', '.join(FORMATS)}"
        raise InputError(Errors.H075.format(option="--format", value=format, problem=problem))


def _guess_task(path: Path, names: Sequence[str]) -> str:
    if path.stem in names:
        return path.stem
    if len(names) > 1:
        raise InputError(Errors.H073.format(path=path, known=", ".join(names)))
    return names[0]


# Import


def _read(
    path: Path, task: ExchangeTask, format: str, confirmed: bool
) -> Tuple[List[Item], LossReport]:
    if format == LABEL_STUDIO:
        return read_label_studio(_read_json_list(path), task)
    records = read_jsonl(path, what="import file")
    if format == PRODIGY:
        return read_prodigy(records, task)
    return read_doccano(records, task, confirmed=confirmed)


def _read_json_list(path: Path) -> Iterator[Tuple[str, Dict[str, Any]]]:
    try:
        values = json.loads(read_text(path, what="import file"))
    except (ValueError, RecursionError) as e:
        raise InputError(Errors.H071.format(path=path, tool="Label Studio JSON", detail=e)) from e
    if not isinstance(values, list):
        detail = f"expected a list of tasks, found {type(values).__name__}"
        raise InputError(Errors.H071.format(path=path, tool="Label Studio JSON", detail=detail))
    for number, value in enumerate(values, start=1):
        where = f"{path} (task {number})"
        if not isinstance(value, dict):
            detail = f"task {number} is {type(value).__name__}, expected an object"
            raise InputError(Errors.H071.format(path=path, tool="Label Studio JSON", detail=detail))
        yield where, value


def _refuse_other_task(
    path: Path, task: ExchangeTask, items: Sequence[Item], lost: LossReport
) -> None:
    """Stop where nothing in the file is about the task: all its texts would become empty ones."""
    foreign = [loss for loss in lost.losses if loss.reason.startswith(FOREIGN)]
    answers = [answer for item in items for answer in item.answers]
    held = [a.annotation for a in answers] + [s.annotation for i in items for s in i.suggestions]
    if foreign and not any(one not in (None, Annotation()) for one in held):
        found = "; ".join(f"{x.reason.removeprefix(FOREIGN)} ({x.examples[0]})" for x in foreign)
        labels = ", ".join(task.header.labels[:20])
        name = task.header.task
        raise InputError(Errors.H076.format(path=path, task=name, found=found, labels=labels))


# Export


def _write(
    nlp: Language, folder: Path, task: ExchangeTask, items: Sequence[Item], format: str
) -> Tuple[Dict[Path, int], LossReport]:
    path = folder / f"{task.header.task}.jsonl"
    if format == LABEL_STUDIO:
        path = path.with_suffix(".json")
        tasks, lost = write_label_studio(items, task)
        write_json(path, tasks)
        xml = path.with_suffix(".xml")
        write_bytes(xml, labelling_config(items, task).encode("utf8", "backslashreplace"))
        return {path: len(tasks), xml: 0}, lost
    if format == PRODIGY:

        def tokenize(text: str) -> List[Tuple[int, int]]:
            return token_offsets(nlp.make_doc(text))

        records, lost = write_prodigy(items, task, tokenize)
    else:
        records, lost = write_doccano(items, task)
    return {path: write_jsonl(path, records)}, lost
