"""Every error a user can meet, with a code, and the exceptions that carry them.

    HitlError               base class; never raised itself
    |- InputError           what was given cannot be used: a file, a line, a label, a config
    |- StateError           what was stored cannot be used: newer version, locked, disk full
    '- ModelError           the model that answers cannot be used at all: stop asking
       '- BudgetReached     the money set aside for it is spent

A message says what came, what was expected and what to do. Codes are grouped by hundreds:
000 files and records, 050 dataset, 070 exchange, 100 annotate, 200 review, 300 distill,
400 evaluate, 500 promote, 600 apply.
"""

from .catalogue import Catalogue
from .evidence import EvidenceErrors
from .files import FileErrors
from .llm import ModelErrors
from .production import ProductionErrors
from .review import ReviewErrors
from .students import StudentErrors


class Errors(
    FileErrors, ModelErrors, ReviewErrors, StudentErrors, EvidenceErrors, ProductionErrors
):
    """Messages of the exceptions below, one part of the catalogue per file."""


class Warnings(metaclass=Catalogue):
    """Messages of warnings."""

    W101 = (
        "The server refuses the parameter '{parameter}' for '{name}' ({detail}); it is left out "
        "from now on."
    )
    W100 = "{count} of {total} documents failed in component '{name}' and are marked: {first}"
    W340 = (
        "{minutes:g} minutes were enough for {splits} of the {folds} splits of a pass only: the "
        "figures rest on {scored} of {reviewed} reviewed texts. Give more --minutes."
    )
    W341 = (
        "The config uses the trained pipeline {names}. If that learned from reviewed texts of this "
        "task, what uses it looks better here than it is."
    )
    W560 = (
        "The LLM gave no usable answer on {count} texts in component '{name}': the student's "
        "annotation stays, and the documents say so. The first: {first}"
    )
    W561 = "{count} cases for review can't be written to '{path}' now and wait in memory: {detail}"
    W562 = "A case of '{name}' can't be stored for review, and is left out: {detail}"


class HitlError(Exception):
    """Base class: shown to the user as it is, without a traceback, by every command."""


class InputError(HitlError):
    """What was given can't be used. Raised before anything of it was stored."""


class StateError(HitlError):
    """What was stored can't be used or written. The stored data is as it was before."""


class ModelError(HitlError):
    """The model can't answer any request (file missing, not allowed). Stops the run."""


class BudgetReached(ModelError):
    """The next request could cost more than is left. What is under way is finished and stored."""
