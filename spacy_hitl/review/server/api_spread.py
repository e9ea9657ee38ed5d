"""The page's requests about other places: where else a form stands, and to decide there too."""

from typing import Any, Dict, Mapping

from ...dataset.reviews import decisions_of
from ...errors import Errors, InputError
from ...records import CONSISTENCY, PROPAGATED
from ..session.answers import refused
from ..spread.known import Form
from ..spread.propagation import Occurrence
from ..spread.spread import MAX_PLACES
from .api import Api, Json, counters, read_number, read_text, read_texts

MAX_LABEL = 1000


def _form(body: Json, form: str) -> Form:
    label = body.get("label")
    return Form(
        task=read_text(body.get("task"), "task"),
        form=form,
        label=None if label is None else read_text(label, "label", limit=MAX_LABEL),
        ignore_case=body.get("ignore_case") is True,
    )


def post_occurrences(api: Api, annotator: str, body: Json) -> Json:
    """Where else a form stands: given as "form", or as "start" and "end" of a text, in tokens."""
    spreader, digest = api.session.spreader, body.get("digest")
    if digest is not None:
        digest = read_text(digest, "digest")
        start, end = _tokens(api, digest, body)
        form = spreader.form_at(read_text(body.get("task"), "task"), digest, start, end)
    else:
        form = read_text(body.get("form"), "form")
    after = read_number(body.get("after"), "after", -1)
    found = spreader.find(_form(body, form), after=after)
    # The text itself is decided by its own answer.
    shown = [_show(o) for o in found.occurrences if o.digest != digest]
    return {
        "form": found.form,
        "label": found.label,
        "occurrences": shown,
        "more": found.more,
        "after": found.after,
    }


def _tokens(api: Api, digest: str, body: Json) -> "tuple[int, int]":
    tokens = api.session.texts.tokens(digest)
    start, end = body.get("start"), body.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(tokens):
        problem = f"'start' and 'end' are not tokens of a text that has {len(tokens)}"
        raise InputError(Errors.H210.format(problem=problem))
    return tokens.chars(start, end)


def _show(o: Occurrence) -> Dict[str, Any]:
    return {
        "id": o.id,
        "digest": o.digest,
        "before": o.before,
        "match": o.match,
        "after": o.after,
        "now": o.now,
        "decided": o.decided,
        "differs": o.differs,
        "blocked": o.blocked,
    }


def post_propagate(api: Api, annotator: str, body: Json) -> Json:
    """Decide on the chosen places; all of it is taken back as one."""
    session, uid = api.session, read_text(body.get("uid"), "uid", limit=64)
    if session.purpose.kind == "compare":
        raise InputError(Errors.H217)
    known = decisions_of(session.dataset, uid)
    if known and (known[0].annotator, known[0].mode) not in (
        (annotator, PROPAGATED),
        (annotator, CONSISTENCY),
    ):
        raise refused("its uid belongs to another answer")
    decisions = known or session.spreader.decide(
        _form(body, read_text(body.get("form"), "form")),
        read_texts(body.get("ids"), "ids", MAX_PLACES),
        annotator=annotator,
        uid=uid,
        time=session.now(),
        mode=CONSISTENCY if body.get("mode") == CONSISTENCY else PROPAGATED,
    )
    if decisions and not known:
        session.store(annotator, decisions, release=False)
    places = sum(len(d.ranges or ()) for d in decisions)
    return {"saved": len(decisions), "places": places, **counters(api, annotator)}


def get_consistency(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """Forms that people treated in several ways."""
    offset = read_number(query.get("offset"), "offset", 0)
    count = read_number(query.get("n"), "n", 50)
    task = read_text(query.get("task"), "task")
    forms, total = api.session.spreader.inconsistent(
        task, offset=offset, limit=max(1, min(count, 200))
    )
    shown = [{"form": t.form, "labels": dict(t.labels), "texts": t.texts} for t in forms]
    return {"forms": shown, "total": total}
