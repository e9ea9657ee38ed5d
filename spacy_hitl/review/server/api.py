"""The requests of the page: JSON values in, JSON values out.

Whose request it is comes from the cookie, never from the request itself. All run on the dataset
thread, but for the catalog search, which does not touch the dataset and may take its time. Which
name calls which function is in `routes`.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Mapping

from ...errors import Errors, InputError
from ..session.answers import is_storable
from ..session.catalogs import Catalogs
from ..session.evidence import Evidence
from ..session.preferring import outcome, prefer, show_outcome
from ..session.session import Session
from .wire import calibration, describe_session, flagged, history, render

Json = Dict[str, Any]
MAX_BATCH = 200  # answers sent at once; a page that was offline sends several batches
MAX_HAVE = 200
MAX_TABS = 20


@dataclass
class Api:
    """A session and what the page is told once.

    about: project, keys and the like, the same for all annotators.
    """

    session: Session
    catalogs: Catalogs
    evidence: Evidence
    about: Json = field(default_factory=dict)


def read_texts(value: Any, name: str, limit: int) -> List[str]:
    """RETURNS (List[str]): A list of short strings out of a request.
    RAISES (InputError): If it is something else.
    """
    fits = isinstance(value, list) and len(value) <= limit
    if not fits or not all(isinstance(v, str) and len(v) <= 200 for v in value):
        problem = f"'{name}' is not a list of at most {limit} strings"
        raise InputError(Errors.H210.format(problem=problem))
    return list(value)


def read_text(value: Any, name: str, *, limit: int = 200) -> str:
    """RETURNS (str): A short string out of a request.
    RAISES (InputError): If it is something else.
    """
    if not isinstance(value, str) or not 0 < len(value) <= limit or not is_storable(value):
        raise InputError(Errors.H210.format(problem=f"'{name}' is not a short string"))
    return value


def read_number(value: Any, name: str, default: int) -> int:
    """RETURNS (int): A number out of a request, which may hold it as text.
    RAISES (InputError): If it is something else.
    """
    if value is None:
        return default
    try:
        return int(str(value)[:12])
    except ValueError as e:
        raise InputError(Errors.H210.format(problem=f"'{name}' is not a number")) from e


def get_session(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """What the page asks once."""
    return {**describe_session(api.session, annotator), **api.about, **counters(api, annotator)}


def counters(api: Api, annotator: str) -> Json:
    """RETURNS (Json): How far it is, and how fast it goes."""
    return {
        "progress": api.session.progress(annotator),
        "clock": asdict(api.session.tally.clock.clock(annotator)),
    }


def get_status(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """How it goes, for all people of the project."""
    people = api.session.tally.clock.people()
    return {
        **counters(api, annotator),
        "people": [{"annotator": name, **asdict(clock)} for name, clock in people.items()],
    }


def get_catalog(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """Catalog entries for what was typed."""
    task = read_text(query.get("task"), "task")
    count = read_number(query.get("n"), "n", 20)
    return {"entries": api.catalogs.search(task, query.get("q", ""), count=count)}


def get_evidence(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """The prompt and the raw answers behind a proposal."""
    digest, task = read_text(query.get("digest"), "digest"), read_text(query.get("task"), "task")
    return api.evidence.of(api.session, annotator, digest, task)


def get_screen(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """A text that was answered before."""
    digest = read_text(query.get("digest"), "digest")
    return render(api.session, api.catalogs, api.session.reopen(annotator, digest))


def get_history(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """The last answers."""
    count = read_number(query.get("n"), "n", 10)
    return {"answers": history(api.session, annotator, count=count)}


def get_flagged(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """Texts that were put aside or marked."""
    return {"answers": flagged(api.session)}


def post_next(api: Api, annotator: str, body: Json) -> Json:
    """The next screens."""
    count = read_number(body.get("n"), "n", 1)
    have = read_texts(body.get("have", []), "have", MAX_HAVE)
    tab = read_text(body.get("tab", "-"), "tab")
    closed = read_texts(body.get("closed", []), "closed", MAX_TABS)
    screens, state, message = api.session.next(
        annotator, count=count, have=have, tab=tab, closed=closed
    )
    return {
        "screens": [render(api.session, api.catalogs, screen) for screen in screens],
        "state": state,
        "message": message,
        "progress": api.session.progress(annotator),
        "calibration": calibration(api.session, annotator),
    }


def post_answers(api: Api, annotator: str, body: Json) -> Json:
    """Answers, each stored whole or refused whole."""
    answers = body.get("answers")
    if not isinstance(answers, list) or len(answers) > MAX_BATCH:
        problem = f"'answers' is not a list of at most {MAX_BATCH}"
        raise InputError(Errors.H210.format(problem=problem))
    saved: List[str] = []
    refused: List[Json] = []
    for value in answers:
        try:
            saved.append(api.session.answer(annotator, value))
        except InputError as e:
            uid = value.get("uid") if isinstance(value, dict) else None
            refused.append({"uid": uid if isinstance(uid, str) else None, "error": str(e)})
    return {"saved": saved, "refused": refused, **counters(api, annotator)}


def post_undo(api: Api, annotator: str, body: Json) -> Json:
    """Take an answer back; the text comes with it, if it was one."""
    uid = read_text(body.get("uid"), "uid", limit=64)
    undoes = body.get("undoes")
    undoes = None if undoes is None else read_text(undoes, "undoes", limit=64)
    undone, digests = api.session.undo(annotator, uid, undoes)
    screen = None
    if len(digests) == 1 and api.session.queue.text(digests[0]) is not None:
        screen = render(
            api.session, api.catalogs, api.session.reopen(annotator, digests[0], undone=undone)
        )
    return {
        "undone": undone,
        "digests": digests,
        "screen": screen,
        **counters(api, annotator),
    }


def post_preference(api: Api, annotator: str, body: Json) -> Json:
    """Which of two versions is better."""
    fields = {name: read_text(body.get(name), name) for name in ("uid", "digest", "task", "choice")}
    prefer(api.session, annotator, **fields)
    return {"saved": fields["uid"], **counters(api, annotator)}


def get_compare(api: Api, annotator: str, query: Mapping[str, str]) -> Json:
    """How often each version was preferred; not which is which."""
    return show_outcome(outcome(api.session))
