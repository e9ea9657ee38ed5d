"""A pipeline over any amount of texts: cut, annotate, write, and go on after a stop."""

import fcntl
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from tqdm import tqdm

from ..dataset.audits import AuditCounts
from ..errors import Errors, InputError
from ..io import folder_digest, read_jsonl, read_text, text_digest, write_json, write_jsonl
from ..records import AppliedTo, FailedRow
from ..settings import DataSettings
from .audit import Audit, collect, plan_audit
from .drift import Drifts, read_drifts
from .engines import Engine, Workers, run_here
from .shards import Job, ShardResult, package_folder
from .sinks import open_sink
from .sources import Fields, Scan, Shard, open_source

SHARD_ROWS = 2000
RUN = "run.json"
ERRORS = "errors.jsonl"
STATE = ".state"


@dataclass(frozen=True)
class ApplySummary:
    """What a run did.

    rows: of the input; before: of these, done by an earlier run. failed: rows without results, all
    runs together. given_up: rows of shards over which every worker died, with the last reason.
    drifts: how often students and their LLM disagreed, by cascade, all runs together.
    """

    out: Path
    rows: int
    before: int
    failed: Tuple[FailedRow, ...]
    given_up: int
    reason: Optional[str]
    seconds: float
    audit: Optional[AuditCounts] = None
    drifts: Drifts = field(default_factory=dict)

    @property
    def written(self) -> int:
        """Rows with results."""
        return self.rows - len(self.failed) - self.given_up


def apply(
    pipeline: str,
    texts: Path,
    out: Path,
    *,
    id_field: Optional[str] = None,
    text_field: Optional[str] = None,
    workers: int = 1,
    batch_size: Optional[int] = None,
    shard_rows: int = SHARD_ROWS,
    audit: Optional[float] = None,
    config: Optional[Path] = None,
    code: Optional[Path] = None,
    overwrite: bool = False,
    progress: bool = False,
    engine: Optional[Engine] = None,
) -> ApplySummary:
    """Run a pipeline over all rows of a file.

    pipeline (str): Folder of a pipeline, or the name of an installed one.
    texts (Path): JSONL, CSV, TSV, or plain text with one text per line.
    out (Path): Folder for the results; its ending says in which form. What an earlier run of the
        same pipeline over the same input left there stays and is not done again.
    id_field, text_field (Optional[str]): Names of the fields; as in [hitl.data] of the config, if
        there is one. An empty id_field numbers the rows by their lines.
    workers (int): Processes that work at the same time.
    batch_size (Optional[int]): Texts per batch; as the pipeline has it, if not given.
    shard_rows (int): Rows that are written as one.
    audit (Optional[float]): Share of the texts to draw for people to check, 0 to 1.
    config (Optional[Path]): Config of the project whose dataset gets them.
    code (Optional[Path]): Python file to import before the pipeline is loaded.
    overwrite (bool): Remove results of another run.
    progress (bool): Show a progress bar.
    engine (Optional[Engine]): Who works on the shards; chosen by `workers` if not given.
    RETURNS (ApplySummary): What was done.
    RAISES (InputError): If something can't be used; nothing was written then.
    RAISES (StateError): If results or the dataset can't be written. Run again to go on.
    """
    started = time.monotonic()
    drawing = None if audit is None else Audit.open(audit, config)
    data = DataSettings() if drawing is None else drawing.settings.data
    names = Fields(
        data.id_field if id_field is None else id_field,
        data.text_field if text_field is None else text_field,
    )
    source, sink = open_source(texts, names), open_sink(out)
    folder = pipeline_folder(pipeline)
    digest = folder_digest(folder)
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
    )
    with prepared(out, applied, overwrite=overwrite) as state:
        # A folder stays what it is, also if a link to it is swapped meanwhile.
        job = Job(str(folder), source, sink, state, batch_size, code, plan)
        left = [shard for shard in scan.shards if not sink.is_done(shard.number)]
        before = scan.rows - sum(shard.rows for shard in left)
        chosen = engine or (run_here if workers == 1 else Workers(workers))
        given_up = _work(chosen, job, scan, left, progress=progress)
        lost = {r.shard.number for r in given_up}
        failed = tuple(_failed(job, scan, lost))
        drifts = read_drifts(
            job.drift_path(shard.number) for shard in scan.shards if shard.number not in lost
        )
        write_jsonl(out / ERRORS, (row.to_dict() for row in failed))
        counts = None if drawing is None else collect(drawing, job, scan, now=time.time())
    return ApplySummary(
        out=out,
        rows=scan.rows,
        before=before,
        failed=failed,
        given_up=sum(result.shard.rows for result in given_up),
        reason=given_up[-1].given_up if given_up else None,
        seconds=time.monotonic() - started,
        audit=counts,
        drifts=drifts,
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


def _failed(job: Job, scan: Scan, given_up: "set[int]") -> Iterator[FailedRow]:
    """YIELDS (FailedRow): Rows without results, in the order of the input, of all runs."""
    for shard in scan.shards:
        if shard.number not in given_up:
            for where, value in read_jsonl(job.errors_path(shard.number), what="list of errors"):
                yield FailedRow.from_dict(value, where=where)


@contextmanager
def prepared(out: Path, applied: AppliedTo, *, overwrite: bool) -> Iterator[Path]:
    """Make the folder of results, or go on in it. One run at a time may write there.

    out (Path): The folder.
    applied (AppliedTo): What the results are of.
    overwrite (bool): Remove results of another run.
    YIELDS (Path): The folder for what is known of each shard.
    RAISES (InputError): If the folder is something else, of another run, or another run is at it.
    """
    state = out / STATE
    check_folder(out, applied, overwrite=overwrite)
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise InputError(Errors.H610.format(path=out)) from e
        if overwrite and (out / RUN).exists():
            _remove_results(out)
        for torn in (*out.glob(".part-*"), *state.glob(".part-*")):
            torn.unlink(missing_ok=True)  # of a run that was killed
        write_json(out / RUN, applied.to_dict())
        yield state


def check_folder(out: Path, applied: AppliedTo, *, overwrite: bool) -> None:
    """RAISES (InputError): If a folder holds anything but results of the same run."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RUN).exists():
        if not out.is_dir() or any(path.name != STATE for path in out.iterdir()):
            raise InputError(Errors.H602.format(path=out))
        return
    different = _differences(out, applied)
    if different and not overwrite:
        raise InputError(Errors.H603.format(path=out, what=different))


def _differences(out: Path, applied: AppliedTo) -> str:
    path = out / RUN
    try:
        value = json.loads(read_text(path, what="description of results"))
    except ValueError as e:
        raise InputError(Errors.H004.format(where=path, problem=f"not JSON: {e}")) from e
    return difference(AppliedTo.from_dict(value, where=str(path)), applied)


def difference(there: AppliedTo, now: AppliedTo) -> str:
    """Say in which respects two runs differ: where their results can't be mixed.

    there (AppliedTo): The earlier run.
    now (AppliedTo): This run.
    RETURNS (str): For people; empty if they don't differ.
    """
    words: Dict[str, str] = {
        "pipeline_digest": "the pipeline is another or has changed",
        "source_digest": "the texts are others or have changed",
        "id_field": "another id field",
        "text_field": "another text field",
        "form": "another form",
        "shard_rows": "another number of rows per shard",
        "audit": "another share to audit",
        "code_digest": "the code is another or has changed",
    }
    found = [
        f"{words[f.name]} ({getattr(there, f.name)}, now {getattr(now, f.name)})"
        for f in fields(AppliedTo)
        if f.name in words and getattr(there, f.name) != getattr(now, f.name)
    ]
    return "; ".join(found)


def _remove_results(out: Path) -> None:
    for path in (*out.glob("part-*"), out / ERRORS, out / RUN):
        path.unlink(missing_ok=True)
    for path in (out / STATE).glob("part-*"):
        path.unlink()
