"""What a person finds on the screen before they touch it. Pure.

What the model said of a gold text never gets here: blind screens are made from the text alone.
"""

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence, Tuple

from ...dataset.decisions import Standing
from ...dataset.looks import overlay
from ...records import (
    CONSISTENCY,
    IMPORT,
    NOTHING,
    PROPAGATED,
    Annotation,
    PartialDecision,
    Problem,
    Proposal,
    SpanAnnotation,
    TaskHeader,
)
from ...scoring.items import AnyAnnotation, item_of, items_of
from ...scoring.scores import rate
from .plan import ReviewTask
from .screens import Tokens, show

DECIDED = "decided"  # source of what people decided before: of some labels, or under an older task
MAX_EXTRA = 20  # spans offered as perhaps missing


@dataclass(frozen=True)
class Prefill:
    """What one task shows of a text at first.

    source: whose proposal it is (or whose decision, if it was imported); None if blind, or if there
    is none. extra: spans of other sources that the proposal does not have.
    """

    annotation: Annotation = NOTHING
    status: Optional[str] = None
    source: Optional[str] = None
    problems: Tuple[Problem, ...] = ()
    raw: bool = False
    extra: Tuple[SpanAnnotation, ...] = ()


BLANK = Prefill()


def make_prefill(
    task: ReviewTask,
    proposals: Sequence[Proposal],
    found: Optional[Standing],
    *,
    header: TaskHeader,
    text: str,
    decided: bool = False,
) -> Prefill:
    """Choose what to show of a text that is not blind.

    task (ReviewTask): The task.
    proposals (Sequence[Proposal]): All that were made for the task and text.
    found (Optional[Standing]): What was decided of it.
    header (TaskHeader): The task as it is now.
    text (str): The text.
    decided (bool): Show what was decided, not what was proposed.
    RETURNS (Prefill): An imported decision; else the proposal of the config's model, with what was
        decided of a part of the text put over it.
    """
    shown = Prefill()
    source, sample, digest = task.key
    asked = [p for p in proposals if (p.source, p.task_digest) == (source, digest)]
    proposal = next((p for p in asked if p.sample == sample), asked[0] if asked else None)
    if proposal is not None:
        rated = rate(proposal, asked, text=text)
        shown = Prefill(
            annotation=rated.annotation,
            status=rated.status,
            source=rated.source,
            problems=rated.problems,
            raw=rated.response_key is not None,
        )
    if (
        found is not None
        and found.annotation is not None
        and (decided or found.last.origin == IMPORT)
    ):
        shown = replace(shown, annotation=found.annotation, source=found.last.annotator)
    elif found is not None and found.partial is not None:
        known = overlay(shown.annotation, _marked(found.partial, found), header)
        shown = replace(shown, annotation=known)
    others = [p for p in proposals if p.source != source and p.usable]
    return replace(shown, extra=_extra_spans(task, shown.annotation, others))


def agreed(versions: Iterable[Optional[Annotation]]) -> Prefill:
    """RETURNS (Prefill): What all versions of a text say; nothing if one of them is missing."""
    known = list(versions)
    first, *others = [v for v in known if v is not None] or [NOTHING]
    if len(others) + 1 < len(known):
        return BLANK
    common = [items_of(other) for other in others]

    def kept(one: AnyAnnotation) -> bool:
        return all(item_of(one) in items for items in common)

    return Prefill(
        Annotation(
            spans=tuple(filter(kept, first.spans)),
            cats=tuple(filter(kept, first.cats)),
            relations=tuple(filter(kept, first.relations)),
        )
    )


def _marked(partial: PartialDecision, found: Standing) -> PartialDecision:
    """Say of what was decided of a part that people decided it, here or in another text."""
    spread = any(d.mode in (PROPAGATED, CONSISTENCY) for d in found.parts)
    source = PROPAGATED if spread else DECIDED
    spans = (replace(s, score=None, score_source=source) for s in partial.annotation.spans)
    cats = (replace(c, score=None, score_source=source) for c in partial.annotation.cats)
    marked = replace(partial.annotation, spans=tuple(spans), cats=tuple(cats))
    return replace(partial, annotation=marked)


def _extra_spans(
    task: ReviewTask, shown: Annotation, others: Sequence[Proposal]
) -> Tuple[SpanAnnotation, ...]:
    """Spans that other sources see and that overlap with none of what is shown."""
    if task.kind not in ("ner", "spancat"):
        return ()
    found: Dict[Tuple[int, int, str], SpanAnnotation] = {}
    for proposal in others:
        for s in proposal.annotation.spans:
            known = s.label in task.shown_labels
            if known and not any(s.start < o.end and o.start < s.end for o in shown.spans):
                bare = replace(s, score_source=s.score_source or proposal.source)
                found.setdefault((s.start, s.end, s.label), bare)
    return tuple(found[place] for place in sorted(found))[:MAX_EXTRA]


def task_screen(
    task: ReviewTask,
    prefill: Prefill,
    tokens: Tokens,
    *,
    candidates: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The TaskScreen of the page, a JSON object."""
    shown = show(prefill.annotation, tokens, kind=task.kind, label=task.one_label)
    extra = show(Annotation(spans=prefill.extra), tokens, kind="spancat", label=task.one_label)
    return {
        "annotation": shown.value,
        "status": prefill.status,
        "source": prefill.source,
        "problems": [{"kind": p.kind, "detail": p.detail} for p in prefill.problems],
        "snapped": list(shown.snapped),
        "raw": prefill.raw,
        "candidates": dict(candidates or {}),
        "extra": extra.value["spans"],
    }
