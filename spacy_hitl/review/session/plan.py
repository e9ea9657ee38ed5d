"""What is reviewed in a session: the tasks, as the page must know them."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ...errors import Errors, InputError
from ...io import check_text
from ...pipeline.hitl_llm import PromptedTask
from ...ty import Task

KINDS = ("ner", "spancat", "textcat", "linking", "relations")
WITH_MENTIONS = ("linking", "relations")
MAX_NAME = 60  # characters of an annotator's name


@dataclass(frozen=True)
class ReviewTask:
    """One task of a session.

    key: source, sample and task digest of the proposals that are shown.
    mention_task: for links and relations, the entity task whose spans are their mentions, if the
        pipeline has one; mentions_shown: whether it is reviewed on the same screen.
    one_label: the only label that is looked at, in a pass over single labels.
    """

    name: str
    kind: str
    task: Task
    key: Tuple[str, int, str]
    labels: Tuple[str, ...]
    exclusive: bool = False
    mention_task: Optional[str] = None
    mentions_shown: bool = False
    one_label: Optional[str] = None

    @property
    def source(self) -> str:
        """Whose proposals are shown."""
        return self.key[0]

    @property
    def digest(self) -> str:
        """Digest of the task as it is now."""
        return self.key[2]

    @property
    def shown_labels(self) -> Tuple[str, ...]:
        """The labels a person may choose from. Catalogs are searched, not listed."""
        if self.one_label is not None:
            return (self.one_label,)
        return () if self.kind == "linking" else self.labels

    @property
    def mention_label(self) -> str:
        """Label of mentions whose own label is not known."""
        return str(getattr(self.task, "mention_label", "MENTION"))

    def describe(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): What the page is told, as a JSON object."""
        definitions: Mapping[str, str] = getattr(self.task, "definitions", {})
        guidelines = getattr(self.task, "guidelines", None)
        allowed = getattr(self.task, "allowed", None) if self.kind == "relations" else None
        return {
            "name": self.name,
            "kind": self.kind,
            "labels": list(self.shown_labels),
            "definitions": {k: v for k, v in definitions.items() if k in self.shown_labels},
            "exclusive": self.exclusive and self.one_label is None,
            "mention_task": self.mention_task if self.mentions_shown else None,
            "allowed": None if allowed is None else {k: list(v) for k, v in allowed.items()},
            "guidelines": guidelines() if callable(guidelines) else "",
            "one_label": self.one_label,
        }


def make_plan(
    prompted: Mapping[str, PromptedTask],
    *,
    path: Any,
    names: Iterable[str] = (),
    label: Optional[str] = None,
) -> Dict[str, ReviewTask]:
    """Choose the tasks of a session.

    prompted (Mapping[str, PromptedTask]): The tasks of the config, in pipeline order.
    path (Any): The config, for error messages.
    names (Iterable[str]): The tasks to review; all if empty.
    label (Optional[str]): Look at this label only: the tasks that have it are reviewed.
    RETURNS (Dict[str, ReviewTask]): The tasks by name, in pipeline order.
    RAISES (InputError): If a task or the label is unknown, or a task is of a kind that the page
        can't show.
    """
    wanted = tuple(names) or tuple(prompted)
    for name in wanted:
        if name not in prompted:
            known = ", ".join(prompted)
            raise InputError(Errors.H130.format(path=path, task=name, known=known))
    plan: Dict[str, ReviewTask] = {}
    before: List[str] = []  # entity tasks that came earlier in the pipeline
    for name, found in prompted.items():
        task = found.task
        if name in wanted:
            if task.kind not in KINDS:
                kinds = ", ".join(KINDS)
                raise InputError(Errors.H201.format(task=name, kind=task.kind, kinds=kinds))
            mentions = before[-1] if before and task.kind in WITH_MENTIONS else None
            plan[name] = ReviewTask(
                name=name,
                kind=task.kind,
                task=task,
                key=found.key,
                labels=tuple(task.labels),
                exclusive=task.header(name).exclusive,
                mention_task=mentions,
                mentions_shown=mentions in wanted,
                one_label=label,
            )
        if task.kind == "ner":
            before.append(name)
    if label is None:
        return plan
    plan = {n: t for n, t in plan.items() if label in t.labels and t.kind not in WITH_MENTIONS}
    if not plan:
        known = ", ".join(
            dict.fromkeys(
                name
                for p in prompted.values()
                if p.name in wanted and p.task.kind not in WITH_MENTIONS
                for name in p.task.labels
            )
        )
        raise InputError(Errors.H203.format(label=label, known=known))
    return plan


def check_annotator(name: str) -> str:
    """RETURNS (str): The same name, if it can be stored, shown and told from an import.
    RAISES (InputError): If not.
    """
    shown = ascii(name[:MAX_NAME])
    check_text(name, where=f"--annotator {shown}", max_chars=MAX_NAME)
    if name != name.strip() or not name.isprintable() or name.startswith("import:"):
        raise InputError(Errors.H202.format(name=shown))
    return name
