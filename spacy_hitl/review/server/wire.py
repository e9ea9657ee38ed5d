"""What the page gets, as JSON objects."""

from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

from ...dataset.reviews import decisions_of, rows_of
from ...records import FLAG, NOTHING, SKIP, Annotation, Decision
from ..session.catalogs import Catalogs
from ..session.compare import shown_order
from ..session.plan import WITH_MENTIONS, ReviewTask
from ..session.prefill import task_screen
from ..session.screens import Tokens, only_places, show, show_compact
from ..session.session import Screen, Session

SHOWN = 120  # characters of a text in a list
MAX_HISTORY = 100


def describe_session(session: Session, annotator: str) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Who reviews what: the page asks once."""
    return {
        "annotator": annotator,
        "tasks": [task.describe() for task in session.plan.values()],
        "progress": session.progress(annotator),
        "calibration": calibration(session, annotator),
        "compare": {} if session.purpose.kind == "compare" else None,
    }


def calibration(session: Session, annotator: str) -> Optional[Dict[str, Any]]:
    """RETURNS (Optional[Dict[str, Any]]): How far the calibration round is, if there is one."""
    queue = session.queue
    if not queue.calibration:
        return None
    return {
        "texts": len(queue.calibration),
        "done": queue.calibrated(annotator),
        "floor": queue.settings.calibration_floor,
        "agreement": queue.agreement,
        "open": not queue.calibrating,
        "waiting_for": [name for name in queue.waiting_for() if name != annotator],
    }


def render(session: Session, catalogs: Catalogs, screen: Screen) -> Dict[str, Any]:
    """Write a screen.

    session (Session): The session.
    catalogs (Catalogs): Its catalogs.
    screen (Screen): What to show, and to whom.
    RETURNS (Dict[str, Any]): The Screen of the page.
    """
    turn, texts = screen.turn, session.texts
    tokens = texts.tokens(turn.digest)
    blind = session.sight.is_blind(screen.annotator, turn.digest)
    order = shown_order(turn.digest, screen.annotator)
    versions = [
        {
            "who": version.who,
            "annotator": version.annotator,
            "tasks": {
                name: show(a, tokens, kind=session.plan[name].kind, label=session.label).value
                for name, a in version.annotations.items()
            },
        }
        for version in session.sight.versions(turn.digest)
    ]
    comparing = session.purpose.kind == "compare"
    if comparing and order == "ba":
        versions.reverse()
    if comparing:  # the letters say the side, not the version
        versions = [{**v, "who": who} for v, who in zip(versions, "AB", strict=False)]
    return {
        "kind": session.purpose.kind,
        "digest": turn.digest,
        "mode": turn.mode,
        "why": turn.why,
        "blind": blind,
        "rows": rows_of(session.dataset, turn.digest),
        "tokens": tokens.shown(),
        "lease_expires": screen.expires,
        "tasks": {
            name: _task(session, catalogs, task, tokens, turn.digest, blind=blind)
            for name, task in session.plan.items()
        },
        "answer": own_answer(session, screen) if screen.reopened else None,
        "versions": versions,
        "shown": order if comparing else None,
    }


def _task(
    session: Session,
    catalogs: Catalogs,
    task: ReviewTask,
    tokens: Tokens,
    digest: str,
    *,
    blind: bool,
) -> Dict[str, Any]:
    shown = session.sight.prefill(task, digest, blind=blind)
    if not blind:
        shown = session.sight.with_missing(task, digest, shown)
    spans = shown.annotation.spans
    if task.kind not in WITH_MENTIONS or task.mentions_shown:
        linking = task.kind == "linking"
        found = catalogs.candidates(task, spans, tokens) if linking else {}
        return task_screen(task, shown, tokens, candidates=found)
    mentions = session.texts.mentions(task, digest)
    if task.kind == "linking":
        proposed = {(s.start, s.end): s for s in spans}
        spans = tuple(proposed.get((m.start, m.end), m) for m in mentions)
        shown = replace(shown, annotation=Annotation(spans=spans))
        found = catalogs.candidates(task, spans, tokens)
    else:
        found = {}
    value = task_screen(task, shown, tokens, candidates=found)
    return {**value, "mentions": only_places(mentions, tokens)}


def own_answer(session: Session, screen: Screen) -> Optional[Dict[str, Any]]:
    """RETURNS (Optional[Dict[str, Any]]): What this person answered, in tokens; the answer that
    was just taken back, if one was.
    """
    digest = screen.turn.digest
    tokens = session.texts.tokens(digest)
    found: Dict[str, Tuple[Decision, Optional[Annotation]]] = {}
    if screen.undone is not None:
        group = decisions_of(session.dataset, screen.undone)
        found = {d.task: (d, d.annotation) for d in group if d.text_digest == digest}
    else:
        for name in session.plan:
            own = session.texts.own_standing(name, digest, screen.annotator)
            if own is not None:
                found[name] = (own.last, own.annotation or own.last.annotation)
    if not found:
        return None
    first = next(iter(found.values()))[0]
    shown = {
        name: show(annotation, tokens, kind=session.plan[name].kind, label=session.label).value
        for name, (_, annotation) in found.items()
        if annotation is not None and name in session.plan
    }
    return {
        "action": SKIP if first.action == FLAG else first.action,
        "flagged": first.flagged,
        "note": first.note,
        "tasks": shown,
    }


def history(session: Session, annotator: str, *, count: int) -> List[Dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): The last answers of a person that stand, newest first."""
    uids = session.tally.answers(annotator, max(1, min(count, MAX_HISTORY)))
    return [row for row in (_row(session, uid) for uid in uids) if row is not None]


def flagged(session: Session) -> List[Dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): Answers that put a text aside or marked it, newest first."""
    uids = session.tally.flagged(MAX_HISTORY)
    return [row for row in (_row(session, uid) for uid in uids) if row is not None]


def _row(session: Session, uid: str) -> Optional[Dict[str, Any]]:
    group = decisions_of(session.dataset, uid)
    if not group:
        return None
    first = group[0]
    text = session.dataset.text(first.text_digest)
    texts = {d.text_digest for d in group}
    parts = (
        show_compact(d.annotation or NOTHING, kind=session.plan[d.task].kind, text=text)
        for d in group
        if d.text_digest == first.text_digest and d.task in session.plan
    )
    return {
        "uid": uid,
        "digest": first.text_digest,
        "text": text[:SHOWN],
        "texts": len(texts),
        "action": first.action,
        "annotator": first.annotator,
        "time": first.time,
        "flagged": first.flagged,
        "note": first.note,
        "mode": first.mode,
        "summary": ", ".join(p for p in parts if p),
    }
