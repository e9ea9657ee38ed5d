"""From a config to a session: tasks, settings, purpose, keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from spacy.language import Language

from ...dataset.store import Dataset
from ...dataset.task_versions import read_histories, remember
from ...errors import Errors, InputError
from ...io import read_text
from ...pipeline.hitl_llm import PromptedTask
from ...pipeline.loading import load_prompted, prompted_tasks
from ...settings import Settings
from ..queue.doubts import Doubts, LabelErrors
from ..queue.mix import Purpose as QueuePurpose
from ..queue.mix import QueueSettings
from ..queue.ranker import Ranker
from ..queue.routers import resolve_router
from .auditing import Auditing
from .compare import compared_tasks
from .plan import ReviewTask, check_annotator, make_plan
from .purposes import Adjudicating, Comparing, Purpose, Reviewing
from .session import Session

MAX_KEYS = 200
PURPOSES: Dict[str, QueuePurpose] = {
    "text": "review",
    "adjudicate": "adjudicate",
    "compare": "compare",
    "audit": "audit",
}


@dataclass(frozen=True)
class Wanted:
    """What a session is to be.

    annotators: who reviews. tasks: to review; those of [hitl.review] if empty. label: the only one
    that is looked at. adjudicate: settle what people decided differently. against: the config to
    compare with. audit: how many texts that were accepted in bulk to look at again, blind.
    """

    annotators: Tuple[str, ...]
    tasks: Tuple[str, ...] = ()
    label: Optional[str] = None
    adjudicate: bool = False
    against: Optional[Path] = None
    audit: Optional[int] = None


@dataclass(frozen=True)
class Project:
    """A config, read and checked; nothing of the dataset was touched."""

    path: Path
    nlp: Language
    settings: Settings
    prompted: Dict[str, PromptedTask]
    plan: Dict[str, ReviewTask]
    purpose: Purpose
    wanted: Wanted
    keys: Dict[str, List[str]]


def read_project(path: Path, wanted: Wanted) -> Project:
    """Read what a session needs.

    path (Path): Config of a prompted pipeline.
    wanted (Wanted): What the session is to be.
    RETURNS (Project): All of it.
    RAISES (InputError): If anything can't be used.
    """
    for name in wanted.annotators:
        check_annotator(name)
    nlp, settings = load_prompted(path)
    prompted = prompted_tasks(nlp)
    names = wanted.tasks or settings.review.tasks
    plan = make_plan(prompted, path=path, names=names, label=wanted.label)
    purpose: Purpose = Adjudicating() if wanted.adjudicate else Reviewing()
    if wanted.audit is not None:
        _check_audit(wanted)
        purpose = Auditing(wanted.audit, str(settings.review.seed))
    if wanted.against is not None:
        other = prompted_tasks(load_prompted(wanted.against)[0])
        against = make_plan({n: t for n, t in other.items() if n in plan}, path=wanted.against)
        tasks = compared_tasks(plan, against, path=wanted.against)
        plan = {name: task for name, task in plan.items() if name in tasks}
        purpose = Comparing(tasks)
    keys = {} if settings.review.keys is None else read_keys(settings.review.keys)
    return Project(path, nlp, settings, prompted, plan, purpose, wanted, keys)


def _check_audit(wanted: Wanted) -> None:
    """RAISES (InputError): If the session is to be something else as well."""
    for name in ("adjudicate", "against", "label"):
        if getattr(wanted, name):
            raise InputError(Errors.H415.format(other=f"--{name}"))


def open_session(project: Project, dataset: Dataset) -> Session:
    """RETURNS (Session): A session on an open dataset, in which the tasks are recorded as they are
    now.
    """
    tasks = {name: found.task for name, found in project.prompted.items()}
    changes = project.settings.changes
    remember(dataset, tasks, changes)
    review, wanted = project.settings.review, project.wanted
    purpose = PURPOSES[project.purpose.kind]
    histories = read_histories(dataset, tasks, changes, path=project.path)
    router = resolve_router(review.router)
    goal = project.purpose
    if isinstance(router, LabelErrors) and isinstance(goal, Reviewing) and wanted.label is None:
        goal = Reviewing(Doubts(router.suspects))
    session = Session(
        project.nlp,
        project.plan,
        dataset,
        histories,
        queue=QueueSettings.of(review, wanted.annotators, label=wanted.label, purpose=purpose),
        purpose=goal,
        lease_minutes=review.lease_minutes,
    )
    queue, plan = session.queue, session.plan
    session.sight.ranker = Ranker(dataset, queue, plan, histories, router=router)
    return session


def read_keys(path: Path) -> Dict[str, List[str]]:
    """Read which keys actions have instead of the usual ones.

    path (Path): JSON: {"action": ["key", ...]}, keys by the names of KeyboardEvent.key.
    RETURNS (Dict[str, List[str]]): The same.
    RAISES (InputError): If it is something else.
    """
    try:
        value = json.loads(read_text(path, what="table of keys"))
    except (ValueError, RecursionError) as e:
        raise InputError(Errors.H209.format(path=path, problem=f"not JSON ({e})")) from e
    if not isinstance(value, dict) or len(value) > MAX_KEYS:
        raise InputError(Errors.H209.format(path=path, problem="not a JSON object of actions"))
    for action, keys in value.items():
        fits = isinstance(keys, list) and all(isinstance(k, str) and 0 < len(k) <= 40 for k in keys)
        if not fits:
            problem = f"'{action}' has no list of keys"
            raise InputError(Errors.H209.format(path=path, problem=problem))
    return value
