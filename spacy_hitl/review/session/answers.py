"""Answers of the page: understood, checked against text and task, turned into annotations.

Nothing that a browser sends is trusted. An answer that can't be used is refused whole, with a
message that says why; nothing of it is stored.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from pydantic import (
    ConfigDict,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from ...errors import Errors, InputError
from ...records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)
from .plan import ReviewTask
from .screens import Place, Tokens

MAX_ITEMS = 2_000  # spans, categories or relations of one task on one text
MAX_NOTE = 2_000  # characters
MAX_UID = 64
MAX_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Answer:
    """One answer of the page, before it is checked against its text. See `read_answers`."""

    __pydantic_config__ = ConfigDict(extra="ignore")
    uid: StrictStr
    digest: StrictStr
    action: StrictStr
    flagged: StrictBool = False
    note: Optional[StrictStr] = None
    seconds: Optional[float] = None
    mode: Optional[StrictStr] = None
    edits: Dict[str, StrictInt] = field(default_factory=dict)
    tasks: Dict[str, Dict[str, Any]] = field(default_factory=dict)


_ANSWER = TypeAdapter(Answer)


def read_answer(value: Any) -> Answer:
    """RETURNS (Answer): An answer of the right shape, its lengths within bounds.
    RAISES (InputError): If it has another.
    """
    try:
        answer = _ANSWER.validate_python(value)
    except ValidationError as e:
        first = e.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise refused(f"its field '{place}': {first['msg']}") from e
    if not 0 < len(answer.uid) <= MAX_UID or not answer.uid.isascii():
        raise refused("its uid is not a short identifier")
    if answer.action not in ("accept", "reject", "skip"):
        raise refused("its action is not one of accept, reject, skip")
    if answer.note is not None and len(answer.note) > MAX_NOTE:
        raise refused(f"its note is longer than {MAX_NOTE:,} characters")
    if answer.note is not None and not is_storable(answer.note):
        raise refused("its note holds characters that can't be stored")
    if any(n < 0 for n in answer.edits.values()):
        raise refused("it counts edits below 0")
    return answer


def refused(problem: str) -> InputError:
    """RETURNS (InputError): Why an answer can't be stored."""
    return InputError(Errors.H205.format(problem=problem))


def seconds_of(answer: Answer) -> Optional[float]:
    """RETURNS (Optional[float]): The time the answer took, if that is a time at all."""
    if answer.seconds is None or not 0 <= answer.seconds <= MAX_SECONDS:
        return None
    return round(answer.seconds, 3)


def read_tasks(
    answer: Answer,
    plan: Mapping[str, ReviewTask],
    tokens: Tokens,
    *,
    mentions: Mapping[str, Sequence[SpanAnnotation]],
) -> Dict[str, Annotation]:
    """Turn the token indices of an accepted answer into annotations.

    answer (Answer): The answer.
    plan (Mapping[str, ReviewTask]): The tasks that were on the screen.
    tokens (Tokens): The text's tokens.
    mentions (Mapping[str, Sequence[SpanAnnotation]]): For links and relations whose entity task is
        not on the screen: the mentions that were shown, by task.
    RETURNS (Dict[str, Annotation]): One per task.
    RAISES (InputError): If a task is missing or unknown, or an item is not what its task allows.
    """
    for name in answer.tasks:
        if name not in plan:
            raise refused(f"there is no task '{name[:60]}' on this screen")
    missing = [name for name in plan if name not in answer.tasks]
    if missing:
        raise refused(f"it says nothing about the task '{missing[0]}'")
    found: Dict[str, Annotation] = {}
    for name, task in plan.items():
        value = answer.tasks[name]
        if task.kind == "textcat":
            found[name] = _categories(value, task)
        elif task.kind in ("ner", "spancat"):
            found[name] = _spans(value, task, tokens)
    for name, task in plan.items():  # what refers to mentions, after the mentions
        if task.kind not in ("linking", "relations"):
            continue
        if task.mentions_shown and task.mention_task is not None:
            known = found[task.mention_task].spans
        else:
            known = tuple(mentions.get(name, ()))
        value = answer.tasks[name]
        if task.kind == "linking":
            found[name] = _links(value, task, tokens, known)
        else:
            found[name] = _relations(value, task, tokens, known)
    return {name: found[name] for name in plan}


def _items(value: Mapping[str, Any], field_: str, task: ReviewTask) -> List[Any]:
    items = value.get(field_, [])
    if not isinstance(items, list):
        raise refused(f"'{field_}' of task '{task.name}' is not a list")
    if len(items) > MAX_ITEMS:
        raise refused(f"'{field_}' of task '{task.name}' has more than {MAX_ITEMS:,} items")
    return items


def _place(start: Any, end: Any, task: ReviewTask, tokens: Tokens) -> Place:
    whole = type(start) is int and type(end) is int
    if not whole or not 0 <= start < end <= len(tokens):
        place = f"{start!r} to {end!r}"[:80]
        raise refused(
            f"tokens {place} of task '{task.name}': the text has {len(tokens)} tokens, counted "
            "from 0, the end exclusive and above the start"
        )
    return tokens.chars(start, end)


def _label(label: Any, task: ReviewTask) -> str:
    known = (task.one_label,) if task.one_label is not None else task.labels
    if not isinstance(label, str) or label not in known:
        raise refused(f"{label!r:.60} is no label of task '{task.name}'")
    return label


def _spans(value: Mapping[str, Any], task: ReviewTask, tokens: Tokens) -> Annotation:
    spans: Set[SpanAnnotation] = set()
    for item in _items(value, "spans", task):
        if not isinstance(item, list) or len(item) != 3:
            raise refused(f"{item!r:.60} of task '{task.name}' is not [start, end, label]")
        start, end = _place(item[0], item[1], task, tokens)
        spans.add(SpanAnnotation(start, end, _label(item[2], task)))
    ordered = sorted(spans, key=lambda s: (s.start, s.end, s.label))
    if task.kind == "ner":
        _refuse_overlap(ordered, task)
    return Annotation(spans=tuple(ordered))


def _refuse_overlap(spans: Sequence[SpanAnnotation], task: ReviewTask) -> None:
    for one, other in pairwise(spans):
        if other.start < one.end:
            raise refused(f"two spans of task '{task.name}' overlap, at character {other.start}")


def _categories(value: Mapping[str, Any], task: ReviewTask) -> Annotation:
    names = {_label(item, task) for item in _items(value, "cats", task)}
    if task.exclusive and task.one_label is None and len(names) != 1:
        raise refused(f"task '{task.name}' needs exactly one category, not {len(names)}")
    return Annotation(cats=tuple(CategoryAnnotation(n) for n in task.labels if n in names))


def _links(
    value: Mapping[str, Any], task: ReviewTask, tokens: Tokens, known: Sequence[SpanAnnotation]
) -> Annotation:
    labels = {(s.start, s.end): s.label for s in known}
    links: Dict[Place, str] = {}
    ids = _catalog_ids(task)
    for item in _items(value, "spans", task):
        if not isinstance(item, list) or len(item) != 3:
            raise refused(f"{item!r:.60} of task '{task.name}' is not [start, end, id or null]")
        place = _place(item[0], item[1], task, tokens)
        if place not in labels:
            raise refused(f"a link of task '{task.name}' is on no mention")
        target = item[2]
        if target not in (None, NIL) and not (isinstance(target, str) and target in ids):
            raise refused(f"{target!r:.60} is in no entry of the catalog of task '{task.name}'")
        links[place] = NIL if target is None else target
    unlinked = [place for place in labels if place not in links]
    if unlinked:
        raise refused(
            f"a mention has no link of task '{task.name}'; null says 'not in the catalog'"
        )
    return Annotation(
        spans=tuple(
            SpanAnnotation(*place, labels[place] or task.mention_label, kb_id=links[place])
            for place in sorted(links)
        )
    )


def _catalog_ids(task: ReviewTask) -> Mapping[str, Any]:
    catalog: Optional[Mapping[str, Any]] = getattr(task.task, "catalog", None)
    return catalog if catalog is not None else dict.fromkeys(task.labels)


def _relations(
    value: Mapping[str, Any], task: ReviewTask, tokens: Tokens, known: Sequence[SpanAnnotation]
) -> Annotation:
    labels = {(s.start, s.end): s.label for s in known}
    allowed: Mapping[str, Sequence[Tuple[str, str]]] = getattr(task.task, "allowed", None) or {}
    found: Set[Tuple[Place, Place, str]] = set()
    for item in _items(value, "relations", task):
        ends = item[:2] if isinstance(item, list) and len(item) == 3 else []
        if len(ends) != 2 or not all(isinstance(e, list) and len(e) == 2 for e in ends):
            raise refused(f"{item!r:.60} of task '{task.name}' is not [head, tail, label]")
        head, tail = (_place(e[0], e[1], task, tokens) for e in ends)
        label = _label(item[2], task)
        if head not in labels or tail not in labels:
            raise refused(f"a relation of task '{task.name}' ends on no mention")
        if head == tail:
            raise refused(f"a relation of task '{task.name}' relates a mention to itself")
        pair = (labels[head], labels[tail])
        if label in allowed and all(pair) and pair not in {tuple(p) for p in allowed[label]}:
            raise refused(f"'{label}' of task '{task.name}' can't connect {pair[0]} to {pair[1]}")
        found.add((head, tail, label))
    return Annotation(
        relations=tuple(RelationAnnotation(*h, *t, label) for h, t, label in sorted(found))
    )


def is_storable(text: str) -> bool:
    """RETURNS (bool): Whether a string can be stored and shown: no NUL, no lone surrogate."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
