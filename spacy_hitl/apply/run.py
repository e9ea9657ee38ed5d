"""A pipeline over any amount of texts: cut, annotate, write, and go on after a stop."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

from tqdm import tqdm

from ..dataset.audits import AuditCounts
from ..errors import Errors, InputError
from ..io import folder_digest, read_text, text_digest
from ..pipeline.loading import settings_of
from ..records import AppliedTo, FailedRow
from ..settings import Settings
from .audit import Audit, collect, plan_audit
from .business import check_business
from .copied import opened
from .drift import Drifts, read_drifts
from .engines import Engine, Workers, run_here
from .shards import Job, ShardResult, package_folder, pipeline_meta
from .sinks import DRIFT, ERRORS, open_sink
from .sources import Fields, Scan, Shard

SHARD_ROWS = 2000


@dataclass(frozen=True)
class ApplySummary:
    """What a run did.

    rows: of the input; before: of these, done by an earlier run. failed: rows without results, all
    runs together; errors: where these are listed. given_up: rows of shards over which every worker
    died, with the last reason. drifts: how often students and their LLM disagreed, by cascade, all
    runs together.
    """

    out: str
    rows: int
    before: int
    failed: Tuple[FailedRow, ...]
    given_up: int
    reason: Optional[str]
    seconds: float
    audit: Optional[AuditCounts] = None
    drifts: Drifts = field(default_factory=dict)
    errors: str = ""

    @property
    def written(self) -> int:
        """Rows with results."""
        return self.rows - len(self.failed) - self.given_up


def apply(
    pipeline: str,
    texts: Union[str, Path],
    out: Union[str, Path],
    *,
    id_field: Optional[str] = None,
    text_field: Optional[str] = None,
    query: Optional[str] = None,
    workers: int = 1,
    batch_size: Optional[int] = None,
    shard_rows: int = SHARD_ROWS,
    audit: Optional[float] = None,
    config: Optional[Path] = None,
    code: Optional[Path] = None,
    overwrite: bool = False,
    progress: bool = False,
    engine: Optional[Engine] = None,
    form: Optional[str] = None,
) -> ApplySummary:
    """Run a pipeline over all rows of a file or a query.

    pipeline (str): Folder of a pipeline, or the name of an installed one.
    texts (Union[str, Path]): JSONL, CSV, TSV, plain text with one text per line, Parquet or a
        DocBin; or the URL of a database.
    out (Union[str, Path]): Folder for the results; its ending says in which form; or the URL of a
        database. What an earlier run of the same pipeline over the same input left there stays and
        is not done again.
    id_field, text_field (Optional[str]): Names of the fields; as in [hitl.data] of the config, if
        there is one. An empty id_field numbers the rows by their lines.
    query (Optional[str]): A SELECT, if the texts are in a database.
    workers (int): Processes that work at the same time.
    batch_size (Optional[int]): Texts per batch; as the pipeline has it and at most 128, if not
        given.
    shard_rows (int): Rows that are written as one.
    audit (Optional[float]): Share of the texts to draw for people to check, 0 to 1.
    config (Optional[Path]): Config of the project: its dataset gets them, and its [hitl.business]
        makes records of the documents.
    code (Optional[Path]): Python file to import before the pipeline is loaded.
    overwrite (bool): Remove results of another run.
    progress (bool): Show a progress bar.
    engine (Optional[Engine]): Who works on the shards; chosen by `workers` if not given.
    form (Optional[str]): Registered name of a form of your own, for the folder that `out` is then.
    RETURNS (ApplySummary): What was done.
    RAISES (InputError): If something can't be used; nothing was written then.
    RAISES (StateError): If results or the dataset can't be written. Run again to go on.
    """
    started = time.monotonic()
    drawing = None if audit is None else Audit.open(audit, config)
    settings = Settings() if config is None else settings_of(config)
    data, business = settings.data, settings.business
    names = Fields(
        data.id_field if id_field is None else id_field,
        data.text_field if text_field is None else text_field,
    )
    sink = open_sink(str(out), form=form, code=code)
    with opened(texts, names, query=query) as source:
        folder = pipeline_folder(pipeline)
        digest = folder_digest(folder)
        business_digest = None if business is None else check_business(business, code)
        plan = None if drawing is None else plan_audit(drawing, pipeline, folder, digest)
        scan = source.scan(shard_rows)
        applied = AppliedTo(
            pipeline=pipeline,
            pipeline_digest=digest,
            source=source.name,
            source_digest=scan.digest,
            source_bytes=scan.size,
            id_field=names.id,
            text_field=names.text,
            form=sink.form,
            shard_rows=shard_rows,
            audit=audit,
            code_digest=None if code is None else text_digest(read_text(code, what="code")),
            business_digest=business_digest,
        )
        with sink.prepared(applied, pipeline_meta(folder), overwrite=overwrite) as sink:
            # A folder stays what it is, also if a link to it is swapped meanwhile.
            job = Job(str(folder), source, sink, batch_size, code, plan, business)
            done = sink.done()
            left = [shard for shard in scan.shards if shard.number not in done]
            before = scan.rows - sum(shard.rows for shard in left)
            chosen = engine or (run_here if workers == 1 else Workers(workers))
            given_up = _work(chosen, job, scan, left, progress=progress)
            lost = {r.shard.number for r in given_up}
            ended = [shard.number for shard in scan.shards if shard.number not in lost]
            failed = tuple(FailedRow.from_dict(v, where=w) for w, v in sink.notes(ERRORS, ended))
            drifts = read_drifts(sink.notes(DRIFT, ended))
            sink.finish(failed, rows=scan.rows)
            counts = None if drawing is None else collect(drawing, job, scan, now=time.time())
        return ApplySummary(
            out=sink.name,
            rows=scan.rows,
            before=before,
            failed=failed,
            given_up=sum(result.shard.rows for result in given_up),
            reason=given_up[-1].given_up if given_up else None,
            seconds=time.monotonic() - started,
            audit=counts,
            drifts=drifts,
            errors=sink.errors,
        )


def pipeline_folder(pipeline: str) -> Path:
    """RETURNS (Path): The folder of a pipeline, links followed.
    RAISES (InputError): If there is none.
    """
    path = Path(pipeline)
    found = path if path.exists() else package_folder(pipeline)
    if found is None:
        detail = "there is no such file or package"
        raise InputError(Errors.H607.format(path=pipeline, detail=detail))
    if not found.is_dir():
        raise InputError(Errors.H607.format(path=pipeline, detail="it is a file"))
    return found.resolve()


def _work(
    engine: Engine, job: Job, scan: Scan, left: Sequence[Shard], *, progress: bool
) -> List[ShardResult]:
    """RETURNS (List[ShardResult]): Those that were given up."""
    given_up = []
    done = scan.rows - sum(shard.rows for shard in left)
    with tqdm(
        total=scan.rows, initial=done, unit="text", disable=not progress, dynamic_ncols=True
    ) as bar:

        def report(rows: int) -> None:
            bar.update(rows)

        for result in engine(job, left, report=report) if left else ():
            given_up += [result] if result.given_up is not None else []
    return given_up
