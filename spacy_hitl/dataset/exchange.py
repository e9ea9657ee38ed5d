"""Import and export: decisions in the compact form, and the whole dataset as JSON lines."""

import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ..errors import Errors, InputError
from ..io import canonical_json, check_text, read_jsonl, text_digest
from ..records import ACCEPT, IMPORT, Decision, Preference, Proposal, Row, TaskVersion
from ..settings import Settings
from ..ty import Task
from .reviews import add_preference, preferences
from .rows import check_row
from .store import Dataset
from .task_versions import add_versions

# A line of the whole-dataset format says what it holds.
ROW, PROPOSAL, DECISION = "row", "proposal", "decision"
VERSION, PREFERENCE = "task version", "preference"


def read_decisions(
    path: Path, dataset: Dataset, tasks: Mapping[str, Task], *, annotator: Optional[str] = None
) -> Tuple[List[Decision], List[str]]:
    """Read decisions in the compact form: one text per line, one field per task.

    path (Path): JSONL: {"id" or "text", "<task>": annotation, ...}.
    dataset (Dataset): Holds the texts.
    tasks (Mapping[str, Task]): The tasks by component name.
    annotator (Optional[str]): Who decided; the file's name if not given.
    RETURNS (Tuple[List[Decision], List[str]]): The decisions, and the names of fields that are
        no task and were not used.
    RAISES (InputError): At the first line that names no stored text, another lane than the
        stored one, an unknown label or catalog id, or offsets outside the text.
    """
    decisions: List[Decision] = []
    unused: Dict[str, None] = {}
    digests = {name: task.digest() for name, task in tasks.items()}
    now = time.time()
    for where, record in read_jsonl(path, what="decisions"):
        digest, text = _find(record, dataset, where)
        for field, value in record.items():
            if field not in tasks:
                if field not in ("id", "text", "lane"):
                    unused[field] = None
                continue
            annotation = tasks[field].read_compact(value, where=f"{where} ({field})", text=text)
            decisions.append(
                Decision(
                    text_digest=digest,
                    task=field,
                    action=ACCEPT,
                    annotator=annotator or f"import:{path.name}",
                    origin=IMPORT,
                    task_digest=digests[field],
                    annotation=annotation,
                    time=now,
                )
            )
    return decisions, list(unused)


def _find(record: Dict[str, Any], dataset: Dataset, where: str) -> Tuple[str, str]:
    """Find the text a line is about, and refuse a lane that is not the text's."""
    text, id_ = record.get("text"), record.get("id")
    digest: Optional[str] = None
    if isinstance(text, str):
        digest = text_digest(text)
    elif isinstance(id_, (str, int)):
        name = check_text(str(id_), where=f"{where} (id)", max_chars=1000)
        digest = dataset.find_text(name)
    name = str(id_ if text is None else text)
    stored = None if digest is None else dataset.lane(digest)
    if digest is None or stored is None:
        raise InputError(Errors.H059.format(where=where, value=name[:80]))
    lane = record.get("lane")
    if lane not in (None, stored):
        raise InputError(Errors.H055.format(where=where, id=name, stored=stored, lane=lane))
    return digest, dataset.text(digest)


def dump(dataset: Dataset) -> Iterator[Dict[str, Any]]:
    """Write the whole dataset as JSON objects, in an order that depends on the content only.

    dataset (Dataset): The dataset.
    YIELDS (Dict[str, Any]): Rows with lane and text, then versions of the tasks, proposals,
        decisions, preferences.
    """
    for source, id_, text, lane, meta in dataset.db.rows(
        "SELECT r.source, r.id, t.text, t.lane, r.meta FROM rows r JOIN texts t USING (digest)"
        " ORDER BY r.source, r.id"
    ):
        row = Row(source=source, id=id_, text=text, lane=lane, meta=dataset.db.load(meta))
        yield {"record": ROW, **row.to_dict()}
    for (record,) in dataset.db.rows("SELECT record FROM task_versions ORDER BY task, rowid"):
        yield {"record": VERSION, **dataset.db.load(record)}
    for (record,) in dataset.db.rows(
        "SELECT record FROM proposals ORDER BY task, digest, source, sample, task_digest"
    ):
        yield {"record": PROPOSAL, **dataset.db.load(record)}
    for (record,) in dataset.db.rows("SELECT record FROM decisions ORDER BY id"):
        yield {"record": DECISION, **dataset.db.load(record)}
    for preference in preferences(dataset):
        yield {"record": PREFERENCE, **preference.to_dict()}


def load(path: Path, dataset: Dataset, settings: Settings) -> Dict[str, int]:
    """Read what `dump` wrote into a dataset; all of it or nothing.

    path (Path): JSONL.
    dataset (Dataset): Where to add it; what is there already stays.
    settings (Settings): The project's settings.
    RETURNS (Dict[str, int]): Lines read per kind of record.
    RAISES (InputError): At the first line that is not a record.
    """
    rows: List[Row] = []
    proposals: List[Proposal] = []
    decisions: List[Decision] = []
    versions: List[TaskVersion] = []
    found: List[Preference] = []
    for where, value in read_jsonl(path, what="dataset export"):
        kind = value.pop("record", None)
        if kind == ROW:
            row = Row.from_dict(value, where=where)
            rows.append(check_row(row, where=where, settings=settings.data))
        elif kind == PROPOSAL:
            proposals.append(Proposal.from_dict(value, where=where))
        elif kind == DECISION:
            decisions.append(Decision.from_dict(value, where=where))
        elif kind == VERSION:
            versions.append(TaskVersion.from_dict(value, where=where))
        elif kind == PREFERENCE:
            found.append(Preference.from_dict(value, where=where))
        else:
            names = ", ".join((ROW, VERSION, PROPOSAL, DECISION, PREFERENCE))
            problem = f"record {kind!r} is not one of {names}"
            raise InputError(Errors.H004.format(where=where, problem=problem))
    with dataset.db.transaction():
        dataset.add_rows(rows, settings.lanes)
        digests = [p.text_digest for p in proposals] + [d.text_digest for d in decisions]
        for digest in digests + [p.text_digest for p in found]:
            if dataset.lane(digest) is None:
                raise InputError(Errors.H059.format(where=path, value=digest))
        dataset.add_proposals(proposals)
        stored = {record for (record,) in dataset.db.rows("SELECT record FROM decisions")}
        new = [d for d in decisions if canonical_json(d.to_dict()) not in stored]
        dataset.add_decisions(new)
        add_versions(dataset, versions)
        for preference in found:
            add_preference(dataset, preference)
    return {ROW: len(rows), PROPOSAL: len(proposals), DECISION: len(decisions)}


def is_dump(path: Path) -> bool:
    """RETURNS (bool): Whether the first line of a file is one of the whole-dataset format."""
    first = next(read_jsonl(path, what="import file"), None)
    kinds = (ROW, VERSION, PROPOSAL, DECISION, PREFERENCE)
    return first is not None and first[1].get("record") in kinds
