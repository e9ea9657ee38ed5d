"""Decide once, everywhere: the occurrences of a form in the dataset."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ...dataset.spreading import count_holding, text_outside_gold, texts_holding
from ...errors import Errors, InputError
from ...records import CONSISTENCY, GOLD, PROPAGATED, Decision, Mode
from ...tasks.grounding import normal
from ..session.plan import ReviewTask
from ..session.texts import Texts
from .consistency import Treatment
from .known import Form, check_label, check_task, read_known
from .propagation import Occurrence, Stretch, decide, look_at, read_ids
from .treatments import Treatments

CHUNK = 200  # texts read at a time
MAX_TEXTS = 500  # looked at in one search; the next one goes on
MAX_PLACES = 5000  # decided at once


class Found(NamedTuple):
    """Where a form stands.

    occurrences: those that can be changed first. more: how many texts may hold it that were not
    looked at yet. after: where to go on, if there are any.
    """

    form: str
    label: Optional[str]
    occurrences: Tuple[Occurrence, ...]
    more: int
    after: Optional[int]


class Spreader:
    """Finds and decides. Texts of lane gold are neither read nor decided on.

    texts (Texts): The texts of the session.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._treatments: Dict[str, Treatments] = {}

    def form_at(self, task: str, digest: str, start: int, end: int) -> str:
        """RETURNS (str): The form that stands at a place (offsets in characters).
        RAISES (InputError): If the text is gold, or the task has no spans.
        """
        wanted = Form(task, normal(self._texts.tokens(digest).text[start:end]), None)
        check_task(self._texts, wanted)
        if self._texts.lane(digest) == GOLD:
            raise wanted.refused("the text is of lane gold")
        return wanted.form

    def find(self, wanted: Form, *, after: int = -1, limit: int = 200) -> Found:
        """Find where a form stands.

        wanted (Form): The form.
        after (int): Where to go on, from the search before.
        limit (int): About how many occurrences.
        RETURNS (Found): The occurrences in some of the texts.
        RAISES (InputError): If the form or label can't be used.
        """
        task, case = check_task(self._texts, wanted), wanted.ignore_case
        check_label(task, wanted)
        dataset, looked = self._texts.dataset, 0
        places: List[Occurrence] = []
        while looked < MAX_TEXTS and len(places) < limit:
            texts = texts_holding(dataset, wanted.form, ignore_case=case, after=after, limit=CHUNK)
            for number, digest, _ in texts:
                if len(places) < limit:
                    places += self._look(task, digest, wanted)
                    after = number
            looked += CHUNK
            if len(texts) < CHUNK:
                break
        more = count_holding(dataset, wanted.form, ignore_case=case, after=after)
        places.sort(key=lambda p: (p.blocked is not None, not p.differs))
        return Found(wanted.form, wanted.label, tuple(places), more, after if more else None)

    def decide(
        self,
        wanted: Form,
        ids: Sequence[str],
        *,
        annotator: str,
        uid: str,
        time: float,
        mode: Mode = PROPAGATED,
    ) -> List[Decision]:
        """Make the decisions; they are stored, and undone, together.

        wanted (Form): The form and what it should be.
        ids (Sequence[str]): The places, by `Occurrence.id`. One where another span has come in the
            way since is left alone.
        annotator, uid, time: As in `Decision`; time is now.
        mode (Mode): "propagated" or "consistency".
        RETURNS (List[Decision]): One for each text in which something is left to decide.
        RAISES (InputError): If a place is not where the form stands, or in a gold text.
        """
        task = check_task(self._texts, wanted)
        check_label(task, wanted)
        if mode not in (PROPAGATED, CONSISTENCY):
            raise wanted.refused(f"the mode {ascii(mode)[:40]} is not for that")
        if len(ids) > MAX_PLACES:
            raise wanted.refused(f"{len(ids)} places are more than {MAX_PLACES} at once")
        decisions = []
        for digest, places in _read_places(ids, wanted).items():
            if text_outside_gold(self._texts.dataset, digest) is None:
                raise _nowhere(digest, wanted)
            found = self._look(task, digest, wanted)
            chosen = [p for p in found if (p.start, p.end) in places]
            if len(chosen) < len(places):
                raise _nowhere(digest, wanted)
            decision = decide(
                read_known(self._texts, task, digest),
                chosen,
                wanted.label,
                kind=task.kind,
                task=task.name,
                task_digest=task.digest,
                annotator=annotator,
                uid=uid,
                mode=mode,
                time=time,
            )
            decisions += [] if decision is None else [decision]
        return decisions

    def inconsistent(
        self, task: str, *, offset: int = 0, limit: int = 50
    ) -> Tuple[List[Treatment], int]:
        """Find the forms that people labelled here and not there, or differently.

        task (str): A task of spans or links.
        offset, limit (int): Which of them.
        RETURNS (Tuple[List[Treatment], int]): These, and how many there are in all.
        RAISES (InputError): If the task has no spans.
        """
        found = check_task(self._texts, Form(task, "-", None))
        if task not in self._treatments:
            self._treatments[task] = Treatments(self._texts, found)
        return self._treatments[task].list(offset=max(0, offset), limit=limit)

    def changed(self, digests: Iterable[str]) -> None:
        """Say that something was decided on texts, or taken back."""
        digests = list(digests)
        for treatments in self._treatments.values():
            treatments.changed(digests)

    def _look(self, task: ReviewTask, digest: str, wanted: Form) -> List[Occurrence]:
        known = read_known(self._texts, task, digest)
        case = wanted.ignore_case
        return look_at(known, wanted.form, wanted.label, kind=task.kind, ignore_case=case)


def _read_places(ids: Sequence[str], wanted: Form) -> Dict[str, List[Stretch]]:
    try:
        return read_ids(ids)
    except ValueError as e:
        raise _nowhere(str(e), wanted) from e


def _nowhere(value: str, wanted: Form) -> InputError:
    form = wanted.form[:40]
    return InputError(Errors.H223.format(value=ascii(value)[1:60], form=form))
