"""Reading for what is decided in one place and may hold in others. Gold can't be read here."""

import re
from itertools import groupby
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..errors import Errors, InputError
from ..records import GOLD, Decision
from ..tasks.grounding import normal
from .decisions import Standing
from .history import TaskHistory
from .store import Dataset

# Letters that stay as they are in every normal form and case. Left out are those that a sign
# outside ASCII turns into: the Kelvin sign into K or k, the capital i with a dot into i.
_STABLE = re.compile("[A-JL-Za-z0-9]+")
_STABLE_ANY_CASE = re.compile("[A-HJL-Za-hjl-z0-9]+")


class Holder(NamedTuple):
    """A text that may hold a form; number: where reading goes on."""

    number: int
    digest: str
    text: str


def needle_of(form: str, *, ignore_case: bool = False) -> str:
    """Find a piece of a form that every text with the form holds, however it is written.

    form (str): A surface form.
    ignore_case (bool): Whether upper and lower case are the same.
    RETURNS (str): The longest such piece, maybe empty.

    >>> needle_of("Café Nebula  Pro")
    'Nebula'
    """
    pieces = (_STABLE_ANY_CASE if ignore_case else _STABLE).findall(normal(form))
    return max(pieces, key=len, default="")


def texts_holding(
    dataset: Dataset, form: str, *, ignore_case: bool = False, after: int = -1, limit: int
) -> List[Holder]:
    """Find texts that may hold a form: more than do, never fewer.

    dataset (Dataset): Open.
    form (str): A surface form.
    ignore_case (bool): Whether upper and lower case are the same.
    after (int): Where reading goes on; -1 for the first.
    limit (int): How many at most.
    RETURNS (List[Holder]): In the order they were stored.
    """
    where, value = _where(form, ignore_case)
    rows = dataset.db.rows(
        "SELECT rowid, digest, text FROM texts WHERE lane <> 'gold' AND rowid > ? AND "  # noqa: S608
        f"{where} ORDER BY rowid LIMIT ?",
        (after, value, limit),
    )
    return [Holder(*row) for row in rows]


def count_holding(
    dataset: Dataset, form: str, *, ignore_case: bool = False, after: int = -1
) -> int:
    """RETURNS (int): How many such texts there are."""
    where, value = _where(form, ignore_case)
    row = dataset.db.one(
        f"SELECT count(*) FROM texts WHERE lane <> 'gold' AND rowid > ? AND {where}",  # noqa: S608
        (after, value),
    )
    return int(row[0])


def _where(form: str, ignore_case: bool) -> Tuple[str, str]:
    needle = needle_of(form, ignore_case=ignore_case)
    if ignore_case:
        return "text LIKE '%' || ? || '%'", needle  # letters and digits only: no wildcards
    return "instr(text, ?) > 0" if needle else "text <> ?", needle


def text_outside_gold(dataset: Dataset, digest: str) -> Optional[str]:
    """RETURNS (Optional[str]): The text; None if it is not stored.
    RAISES (InputError): If it is gold.
    """
    row = dataset.db.first("SELECT text, lane FROM texts WHERE digest = ?", (digest,))
    if row is not None and row[1] == GOLD:
        raise InputError(Errors.H056)
    return None if row is None else str(row[0])


def standing_texts(dataset: Dataset, history: TaskHistory) -> Iterator[Tuple[str, str, Standing]]:
    """Read what holds for all texts outside gold that were decided on.

    dataset (Dataset): Open.
    history (TaskHistory): The task as it is and was.
    YIELDS (Tuple[str, str, Standing]): Digest, text and what holds.
    """
    rows = dataset.db.rows(
        "SELECT d.digest, t.text, d.record FROM decisions d JOIN texts t ON t.digest = d.digest"
        " WHERE d.task = ? AND t.lane <> 'gold' ORDER BY d.digest, d.id",
        (history.header.task,),
    )
    for (digest, text), group in groupby(rows, key=lambda row: (row[0], row[1])):
        found = history.standing(Decision.from_dict(dataset.db.load(r)) for _, _, r in group)
        if found is not None:
            yield digest, text, found
