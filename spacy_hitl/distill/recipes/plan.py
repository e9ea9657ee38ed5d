"""What a student's config is written for: a task, its labels, where its corpus is, a recipe."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterable, Optional, Sequence, Tuple

from spacy.util import is_package

from ...dataset.corpus import read_corpus
from ...errors import Errors, InputError
from ...records import DEV, GOLD, TRAIN, TaskHeader, TaskRow
from . import RECIPES

ENSEMBLE = "ensemble"
TRANSFORMER = "transformer"
STUDENTS = (*RECIPES, ENSEMBLE, TRANSFORMER)
TASK_KINDS = ("ner", "spancat", "textcat", "linking", "relations")
OTHER_COMPONENTS = (TRANSFORMER, "sentencizer")
CONTEXT_FREE = ("linking",)  # kinds whose student looks at no context


@dataclass(frozen=True)
class Plan:
    """What a student's config is written for.

    kind: of the task. decided, proposed: how many texts of lane train teach; dev: how many decided
    texts of lane dev there are to measure on; None where no corpus is there to count them.
    warm_up_on_all: first learn from decided texts too, so that it does not matter how many there
    will be.
    """

    task: str
    kind: str
    labels: Tuple[str, ...]
    corpus: str
    exclusive: bool = False
    spans_key: str = "sc"
    catalog: Optional[str] = None
    student: str = "fast"
    transformer: Optional[str] = None
    base: Optional[str] = None
    lang: str = "en"
    decided: Optional[int] = None
    proposed: Optional[int] = None
    dev: Optional[int] = None
    warm_up_on_all: bool = False

    @property
    def component(self) -> str:
        """The kind of component that is trained: one of `KINDS`."""
        if self.kind == "textcat":
            return "textcat" if self.exclusive else "textcat_multilabel"
        names = {"linking": "entity_linker", "relations": "hitl_relations"}
        return names.get(self.kind, self.kind)

    @property
    def labelled(self) -> Optional[int]:
        """Texts that an ensemble learns from: decided, proposed, and decided ones of lane dev."""
        counts = (self.decided, self.proposed, self.dev)
        return None if None in counts else sum(count or 0 for count in counts)


def make_plan(
    *,
    kind: Optional[str] = None,
    labels: Sequence[str] = (),
    name: Optional[str] = None,
    corpus: Optional[Path] = None,
    exclusive: Optional[bool] = None,
    catalog: Optional[Path] = None,
    student: str = "fast",
    transformer: Optional[str] = None,
    base: Optional[str] = None,
    lang: str = "en",
) -> Plan:
    """Put together what was said and what the corpus says.

    kind (Optional[str]): Kind of the task; that of the corpus if not given.
    labels (Sequence[str]): Labels of the task; those of the corpus if not given.
    name (Optional[str]): Name of task and component; that of the corpus, or the kind, if not given.
    corpus (Optional[Path]): File written by `spacy hitl export`; corpus/NAME.jsonl if not given. It
        may be missing if kind and labels are given.
    exclusive (Optional[bool]): textcat: whether exactly one label holds.
    catalog (Optional[Path]): linking: JSONL with the entries.
    student (str): One of STUDENTS.
    transformer (Optional[str]): Name or folder of the pretrained transformer.
    base (Optional[str]): Trained pipeline whose tok2vec the student listens to.
    lang (str): Code of the language.
    RETURNS (Plan): The plan.
    RAISES (InputError): If something is missing, unknown, or not what the corpus says.
    """
    _check_one_of("--task", kind, TASK_KINDS)
    _check_one_of("--student", student, STUDENTS)
    path = corpus or Path("corpus") / f"{name or kind}.jsonl"
    if (corpus is not None and kind is None) or path.exists():
        plan = _plan_from_corpus(path, name, kind, labels, exclusive, catalog)
    elif kind is None:
        _refuse("--task", None, f"a kind of task ({', '.join(TASK_KINDS)}), or --corpus FILE")
    else:
        plan = Plan(
            task=name or kind,
            kind=kind,
            labels=tuple(labels),
            corpus=path.as_posix(),
            exclusive=bool(exclusive),
            catalog=None if catalog is None else catalog.as_posix(),
        )
        _check_complete(plan, exclusive)
    plan = replace(plan, student=student, transformer=transformer, base=base, lang=lang)
    _check_names(plan)
    _check_student(plan)
    return plan


def _refuse(option: str, value: Optional[object], expected: str) -> None:
    given = "is not given" if value is None else f"is {value!r}"
    raise InputError(Errors.H370.format(option=option, given=given, expected=expected))


def _check_one_of(option: str, value: Optional[str], known: Sequence[str]) -> None:
    if value is not None and value not in known:
        _refuse(option, value, f"one of {', '.join(known)}")


def _check_complete(plan: Plan, exclusive: Optional[bool]) -> None:
    """Without a corpus, the options have to say everything."""
    if not plan.labels and plan.kind != "linking":
        _refuse("--labels", None, "the labels of the task, separated by commas, or --corpus FILE")
    if len(set(plan.labels)) != len(plan.labels):
        _refuse("--labels", ",".join(plan.labels), "each label once")
    if plan.kind == "textcat" and exclusive is None:
        expected = "--exclusive if exactly one label holds, --multilabel if any number does"
        _refuse("--exclusive", None, expected)
    if plan.kind == "linking" and plan.catalog is None:
        _refuse("--catalog", None, "a JSONL file with id, name and aliases of each entry")


def _check_names(plan: Plan) -> None:
    """What a config can't hold: dots part sections, and a dollar sign refers to another value."""
    if not re.fullmatch(r"[\w-]+", plan.task):
        _refuse("--name", plan.task, "letters, digits, - and _")
    if plan.task in OTHER_COMPONENTS:
        _refuse("--name", plan.task, "a name that no other component of the pipeline has")
    for label in plan.labels:
        if "$" in label or not label.strip():
            _refuse("--labels", label, "labels without '$', not empty")


def _check_student(plan: Plan) -> None:
    if (plan.transformer is not None) != (plan.student == TRANSFORMER):
        expected = "a pretrained transformer, with --student transformer and only there"
        _refuse("--transformer", plan.transformer, expected)
    if plan.base is not None:
        if plan.student not in RECIPES or plan.kind in CONTEXT_FREE:
            _refuse(
                "--base", plan.base, "it with small or fast, and a kind of task that is not linking"
            )
        if not (is_package(plan.base) or Path(plan.base).is_dir()):
            what, cwd = "a trained pipeline", Path.cwd()
            raise InputError(Errors.H001.format(what=what, path=plan.base, cwd=cwd))
    if plan.student == ENSEMBLE and plan.kind != "ner":
        _refuse("--student", plan.student, f"another recipe: for kind {plan.kind} there is none")
    if plan.student == TRANSFORMER and plan.kind in CONTEXT_FREE:
        expected = f"small or fast: a student of kind {plan.kind} looks at no context"
        _refuse("--student", plan.student, expected)


def _plan_from_corpus(
    path: Path,
    name: Optional[str],
    kind: Optional[str],
    labels: Sequence[str],
    exclusive: Optional[bool],
    catalog: Optional[Path],
) -> Plan:
    header, rows = read_corpus(path)
    for where, row in rows:
        if row.lane == GOLD:
            raise InputError(Errors.H301.format(path=path, where=where))
    said = {
        "--name": (name, header.task),
        "--task": (kind, header.kind),
        "--exclusive": (exclusive, header.exclusive),
        "--labels": (sorted(labels) or None, sorted(header.labels)),
    }
    for option, (given, found) in said.items():
        if given is not None and given != found:
            values = {"option": option, "given": _show(given), "found": _show(found)}
            raise InputError(Errors.H371.format(path=path, **values))
    return plan_of_task(header, path, (row for _, row in rows), catalog=catalog)


def _show(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def plan_of_task(
    header: TaskHeader, path: Path, rows: Iterable[TaskRow], *, catalog: Optional[Path] = None
) -> Plan:
    """Read a plan off an exported corpus.

    header (TaskHeader): What the task is.
    path (Path): Where the corpus is.
    rows (Iterable[TaskRow]): Its rows; only counted.
    catalog (Optional[Path]): Catalog to use instead of the header's.
    RETURNS (Plan): With the default student.
    """
    decided, proposed, dev = count_rows(rows)
    return Plan(
        task=header.task,
        kind=header.kind,
        labels=header.labels,
        corpus=path.as_posix(),
        exclusive=header.exclusive,
        spans_key=header.spans_key or "sc",
        catalog=header.catalog if catalog is None else catalog.as_posix(),
        decided=decided,
        proposed=proposed,
        dev=dev,
    )


def count_rows(rows: Iterable[TaskRow]) -> Tuple[int, int, int]:
    """Count what there is to learn from.

    rows (Iterable[TaskRow]): Rows of a corpus.
    RETURNS (Tuple[int, int, int]): Texts of lane train that are decided, and others with a usable
        proposal (also where a part was decided); decided texts of lane dev.
    """
    decided = proposed = dev = 0
    for row in rows:
        if row.lane == TRAIN and row.decision is not None:
            decided += 1
        elif row.lane == TRAIN and row.proposal is not None and row.proposal.usable:
            proposed += 1
        elif row.lane == DEV and row.decision is not None:
            dev += 1
    return decided, proposed, dev
