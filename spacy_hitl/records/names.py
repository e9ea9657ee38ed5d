"""The words that records may hold, and types that check them."""

from typing import Annotated, Sequence

from pydantic import AfterValidator

NIL = "NIL"  # spaCy's EntityLinker.NIL: a mention that is in no catalog

GOLD, DEV, TRAIN = LANES = ("gold", "dev", "train")
OK, EMPTY, REFUSED, MALFORMED, UNALIGNED, TRUNCATED, FAILED = STATUSES = (
    "ok",
    "empty",
    "refused",
    "malformed",
    "unaligned",
    "truncated",
    "failed",
)
USABLE = (OK, EMPTY)  # the only statuses that may ever train a student
ACCEPT, REJECT, SKIP, FLAG, UNDO = ACTIONS = ("accept", "reject", "skip", "flag", "undo")
PERSON, IMPORT = ORIGINS = ("person", "import")


# Why a text was shown, or how else a decision came about.
(
    BLIND,  # no proposal was shown: a gold text, the source of figures, or one drawn for an audit
    CALIBRATION,  # the same blind texts for everybody, before the queue opens
    ROUTED,  # chosen by a router: doubtful, refused or disputed answers first
    RANDOM,  # drawn at random, so that not only doubtful texts are seen
    RECALL,  # shown to look for what is missing
    CONSISTENCY,  # one surface form, everywhere
    ONE_LABEL,  # a pass that looks at a single label
    ADJUDICATION,  # two people's versions, decided by a third
    RECHECK,  # decided, but probably wrong: looked at again, with what was decided in sight
    PROPAGATED,  # a decision on a surface form, applied to another place
    BULK,  # accepted unseen, above a calibrated threshold
    REOPENED,  # an answer of before, opened again
) = MODES = (
    "blind",
    "calibration",
    "routed",
    "random",
    "recall",
    "consistency",
    "one label",
    "adjudication",
    "recheck",
    "propagated",
    "bulk",
    "reopened",
)


def _one_of(names: Sequence[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"{value!r} is not one of {', '.join(names)}")
        return value

    return AfterValidator(check)


# Strings, checked when a record is read.
Lane = Annotated[str, _one_of(LANES)]
Status = Annotated[str, _one_of(STATUSES)]
Action = Annotated[str, _one_of(ACTIONS)]
Origin = Annotated[str, _one_of(ORIGINS)]
Mode = Annotated[str, _one_of(MODES)]
