"""Texts of production into the gold lane: what is drawn where shards are run is collected here."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Iterator, Optional

from ..dataset.audits import AuditCounts, add_draws, production_source
from ..dataset.store import Dataset
from ..dataset.task_versions import read_versions, remember
from ..errors import Errors, InputError
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import AuditDraw, TaskHeader
from ..settings import Settings
from ..ty import Task
from .auditing import AuditPlan
from .shards import Job, pipeline_meta
from .sinks import AUDIT
from .sources import Scan


@dataclass(frozen=True)
class Audit:
    """A share of the texts for a project's dataset. tasks: of its config, by name."""

    share: float
    config: Path
    settings: Settings
    tasks: Dict[str, Task]

    @classmethod
    def open(cls, share: float, config: Optional[Path]) -> "Audit":
        """Read the project.

        share (float): Of the texts, above 0 and up to 1.
        config (Optional[Path]): The config of its prompted pipeline.
        RETURNS (Audit): The project. Its dataset can be written.
        RAISES (InputError): If the share is none, or there is no config.
        RAISES (StateError): If another process writes to the dataset.
        """
        if not 0 < share <= 1:
            raise InputError(Errors.H604.format(value=share))
        if config is None:
            raise InputError(Errors.H605)
        nlp, settings = load_prompted(config)
        tasks = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
        with Dataset(settings.dataset):
            pass  # hours later would be a bad time to find out that it can't be written
        return cls(share, config, settings, tasks)


def read_share(value: str) -> float:
    """Read a share of texts.

    value (str): "0.5%" or "0.005".
    RETURNS (float): Above 0 and up to 1.
    RAISES (InputError): If it is something else.

    >>> read_share("0.5%")
    0.005
    """
    try:
        number = float(value.strip().removesuffix("%")) / (100 if value.strip()[-1:] == "%" else 1)
    except ValueError as e:
        raise InputError(Errors.H604.format(value=value)) from e
    if not 0 < number <= 1:
        raise InputError(Errors.H604.format(value=value))
    return number


def plan_audit(audit: Audit, pipeline: str, folder: Path, digest: str) -> AuditPlan:
    """Find what to keep of a drawn text: the tasks of the config that the pipeline does.

    audit (Audit): The project.
    pipeline (str): The pipeline as it was named. folder (Path): Where it is.
    digest (str): Of the folder.
    RETURNS (AuditPlan): The plan.
    RAISES (InputError): If the pipeline does none of the tasks.
    """
    meta = pipeline_meta(folder)
    hitl = meta.get("hitl", {})
    names = [*meta.get("pipeline", ()), *hitl.get("prompted", ())]
    mine = {name: task for name, task in audit.tasks.items() if name in names}
    if not mine:
        raise InputError(
            Errors.H606.format(
                path=pipeline,
                pipeline=", ".join(names) or "no components",
                config=audit.config,
                tasks=", ".join(audit.tasks),
            )
        )
    trained = {name: s.get("task_digest") for name, s in hitl.get("students", {}).items()}
    headers = _headers(audit, mine, trained)
    return AuditPlan(
        share=audit.share,
        salt=audit.settings.lanes.salt,
        source=production_source(digest),
        tasks=tuple(headers),
    )


def _headers(
    audit: Audit, tasks: Dict[str, Task], trained: Dict[str, Optional[str]]
) -> Iterator[TaskHeader]:
    """YIELDS (TaskHeader): Of each task as it was when the component learned it, if that is known:
    it knows the labels of then.
    """
    dataset = Dataset(audit.settings.dataset)
    with dataset:
        for name, task in tasks.items():
            version = read_versions(dataset, name).get(trained.get(name) or "")
            header = task.header(name) if version is None else version.header
            yield replace(header, task=name)


def collect(audit: Audit, job: Job, scan: Scan, *, now: float) -> AuditCounts:
    """Put what was drawn into the gold lane. What is there already is not added again.

    audit (Audit): The project.
    job (Job): The job that drew.
    scan (Scan): Its shards.
    now (float): The time, in seconds since the epoch.
    RETURNS (AuditCounts): What became of the drawn texts, in the gold lane or not.
    RAISES (StateError): If the dataset can't be written.
    """
    assert job.audit is not None
    with Dataset(audit.settings.dataset) as dataset, dataset.db.transaction():
        remember(dataset, audit.tasks, audit.settings.changes)
        counts = add_draws(
            dataset,
            _draws(job, scan),
            audit.settings,
            file=job.source.name,
            source=job.audit.source,
            now=now,
        )
    # From here on these texts are in the dataset only.
    job.sink.forget(AUDIT, [shard.number for shard in scan.shards])
    return counts


def _draws(job: Job, scan: Scan) -> Iterator[AuditDraw]:
    for where, value in job.sink.notes(AUDIT, [shard.number for shard in scan.shards]):
        yield AuditDraw.from_dict(value, where=where)
