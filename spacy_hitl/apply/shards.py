"""The unit of work: read a shard, annotate it, write its results. Every engine runs this function.

What has to be known of a shard beside its results is noted by the sink, and is written first:
once the results are there, so is all else. A shard that is done again writes the same again.
"""

import importlib.util
import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors, HitlError, InputError
from ..io import check_text
from ..records import AuditDraw, FailedRow, Row
from .annotating import RowAnnotator
from .auditing import AuditPlan, draw
from .business import resolve_business
from .code import import_once
from .drift import Drifts, count_answers, write_drifts
from .sinks import AUDIT, DRIFT, ERRORS, Add, Sink
from .sources import Shard, Source

REPORT_EVERY = 50
Report = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """All that a process needs to annotate shards. Plain values: it is handed to other processes.

    pipeline: a folder, or the name of an installed package. code: a Python file to import first.
    batch_size: None for the pipeline's own, if that is not above 128.
    business: the [hitl.business] of the config.
    """

    pipeline: str
    source: Source
    sink: Sink
    batch_size: Optional[int] = None
    code: Optional[Path] = None
    audit: Optional[AuditPlan] = None
    business: Optional[Dict[str, Any]] = None


@dataclass
class ShardResult:
    """How a shard went. given_up: why it has no results."""

    shard: Shard
    written: int = 0
    failed: List[FailedRow] = field(default_factory=list)
    drawn: List[AuditDraw] = field(default_factory=list)
    drifts: Drifts = field(default_factory=dict)
    given_up: Optional[str] = None


def load_pipeline(name: str, code: Optional[Path] = None) -> Language:
    """Load a pipeline.

    name (str): Its folder, or the name of an installed package.
    code (Optional[Path]): A Python file to import first.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If there is none.
    """
    try:
        if code is not None:
            import_once(code)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\[W095\]")
            return spacy.load(name)
    except HitlError:
        raise
    except Exception as e:  # a user's own component may raise anything
        raise InputError(Errors.H607.format(path=name, detail=f"{type(e).__name__}: {e}")) from e


def package_folder(name: str) -> Optional[Path]:
    """RETURNS (Optional[Path]): The folder of an installed package."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def pipeline_meta(folder: Path) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): What the meta.json of a pipeline or a package says; empty if there
    is none that can be read, which is for loading to complain of.
    """
    paths = (path for path in (folder / "meta.json", *sorted(folder.glob("*/meta.json"))))
    for path in paths:
        try:
            value = json.loads(path.read_text(encoding="utf8"))
        except (OSError, ValueError):
            continue
        return value if isinstance(value, dict) else {}
    return {}


def no_report(rows: int) -> None:
    """For who shows no progress."""


def run_shard(
    job: Job, annotator: RowAnnotator, shard: Shard, *, report: Report = no_report
) -> ShardResult:
    """Annotate a shard.

    job (Job): What to do.
    annotator (RowAnnotator): The job's pipeline, loaded.
    shard (Shard): Which rows.
    report (Report): Told how many more rows are done, now and then.
    RETURNS (ShardResult): What became of the rows. The results are written.
    RAISES (HitlError): If the rows can't be read or the results not be written.
    """
    if job.business is not None and annotator.business is None:  # the first shard of this process
        annotator.business = resolve_business(job.business, annotator.nlp)
    result = ShardResult(shard)
    # What is new in the vocabulary is forgotten after each shard: memory stays flat.
    with job.sink.shard(shard.number) as add, annotator.nlp.memory_zone():
        done = _annotate(job, annotator, result, add, report)
        report(shard.rows - done)
        job.sink.note(shard.number, ERRORS, [f.to_dict() for f in result.failed])
        job.sink.note(shard.number, DRIFT, write_drifts(result.drifts))
        if job.audit is not None:
            job.sink.note(shard.number, AUDIT, [d.to_dict() for d in result.drawn])
    return result


def _annotate(
    job: Job, annotator: RowAnnotator, result: ShardResult, add: Add, report: Report
) -> int:
    """RETURNS (int): How many rows were reported as done."""
    reported = 0
    rows = _readable(job.source.rows(result.shard), result, annotator.nlp.max_length)
    found: Union[Doc, str]
    for row, found in annotator.annotate(rows, batch_size=job.batch_size):
        if job.audit is not None:
            doc = None if isinstance(found, str) else found
            drawn = draw(row, doc, annotator.nlp, job.audit)
            result.drawn += () if drawn is None else (drawn,)
        reason = found if isinstance(found, str) else _add(annotator, add, row, found)
        if reason is None:
            result.written += 1
        else:
            result.failed.append(FailedRow(f"{row.source}, id {row.id}", reason, id=row.id))
        if not isinstance(found, str):
            count_answers(result.drifts, found)
        if (result.written + len(result.failed)) % REPORT_EVERY == 0:
            report(REPORT_EVERY)
            reported += REPORT_EVERY
    return reported


def _add(annotator: RowAnnotator, add: Add, row: Row, doc: Doc) -> Optional[str]:
    """RETURNS (Optional[str]): Why a document can't be stored."""
    try:
        records = None if annotator.business is None else annotator.business(doc, row)
    except InputError as e:
        return str(e)
    try:
        add(row, doc, records)
    except (HitlError, OSError):
        raise
    except Exception as e:  # what a component left on the document, any type
        return f"its document can't be stored: {type(e).__name__}: {e}"
    return None


def _readable(
    rows: Iterator[Tuple[str, Union[Row, FailedRow]]], result: ShardResult, max_chars: int
) -> Iterator[Row]:
    """YIELDS (Row): The rows that can be annotated; the others are listed."""
    for where, row in rows:
        if isinstance(row, FailedRow):
            result.failed.append(row)
            continue
        try:
            check_text(row.text, where=where, max_chars=max_chars)
        except InputError as e:
            result.failed.append(FailedRow(where, str(e), id=row.id))
        else:
            yield row
