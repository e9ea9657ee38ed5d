"""Store which of two versions somebody preferred."""

from typing import Any, Dict

from ...dataset.reviews import add_preference, preferences
from ...errors import Errors, InputError
from ...records import Preference
from .compare import CHOICES, Preferred, count, shown_order, unshuffle, version_name
from .purposes import Comparing
from .session import Session


def prefer(
    session: Session, annotator: str, *, uid: str, digest: str, task: str, choice: str
) -> None:
    """Store a preference. The same one again is not stored again.

    session (Session): A session that compares.
    annotator (str): Who chose.
    uid (str): Of the choice, from the page.
    digest (str): The text.
    task (str): The task.
    choice (str): "first" or "second" as they were shown, "both" or "neither".
    RAISES (InputError): If it can't be stored.
    """
    purpose = session.purpose
    if not isinstance(purpose, Comparing):
        raise InputError(Errors.H218)
    if choice not in CHOICES:
        raise InputError(Errors.H219.format(value=choice[:60], choices=", ".join(CHOICES)))
    if session.queue.text(digest) is None:
        raise InputError(Errors.H206.format(digest=ascii(digest)[1:17]))
    if task not in purpose.differing[digest]:
        known = ", ".join(purpose.differing[digest])
        raise InputError(Errors.H215.format(task=task[:60], known=known))
    compared = purpose.tasks[task]
    preference = Preference(
        text_digest=digest,
        task=task,
        first=version_name(compared.first),
        second=version_name(compared.second),
        choice=unshuffle(choice, shown_order(digest, annotator)),
        annotator=annotator,
        uid=uid,
        time=session.now(),
    )
    if add_preference(session.dataset, preference):
        purpose.remember(preference)
        session.refresh([digest])
        if session.sight.has_decided(annotator, digest):
            session.release(annotator, digest)


def outcome(session: Session) -> Preferred:
    """RETURNS (Preferred): How often each version was preferred so far.
    RAISES (InputError): If nothing is compared.
    """
    if not isinstance(session.purpose, Comparing):
        raise InputError(Errors.H218)
    return count(preferences(session.dataset), list(session.purpose.tasks.values()))


def show_outcome(found: Preferred) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The counts for the page, without the names of the versions."""
    return {
        "wins": found.wins,
        "losses": found.losses,
        "ties": found.ties,
        "share": found.share,
        "interval": None if found.interval is None else list(found.interval),
    }
