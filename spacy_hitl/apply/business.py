"""Business logic: a user's own function from a document and its row to records of a product.

Models say what a text says; what follows from it (by a catalog, a date, a rule of the house) is
ordinary code, named in the config: [hitl.business] @misc = "phones.Business.v1".
"""

import math
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry

from ..errors import Errors, HitlError, InputError
from ..io import file_digest, json_digest, strings_in
from ..pipeline.loading import threshold_of
from ..records import Row
from ..ty import Business, Scalar
from .code import import_once

# A record becomes a row of a table: what no database could hold is refused here already.
MAX_RECORDS = 1_000  # per row
MAX_FIELDS = 200  # per record
MAX_NAME = 63  # characters of a field's name: PostgreSQL cuts longer ones
MAX_CHARS = 100_000  # of a value
MAX_INT = 2**63 - 1
ROW_FIELDS = ("source", "id")  # set by `apply`: the row that a record belongs to
THRESHOLDS_KEY = "hitl_thresholds"


class BusinessLogic:
    """A function of the user's with its bounds.

    function (Business): From (doc, row) to records.
    name (str): For error messages.
    thresholds (Mapping[str, float]): By component, the lowest score at which a category holds. The
        function finds them in `doc.user_data["hitl_thresholds"]`.
    """

    def __init__(
        self, function: Business, *, name: str, thresholds: Optional[Mapping[str, float]] = None
    ) -> None:
        self.function = function
        self.name = name
        self.thresholds = dict(thresholds or {})

    def __call__(self, doc: Doc, row: Row) -> Tuple[Dict[str, Scalar], ...]:
        """Make the records of a row.

        doc (Doc): Its annotated text.
        row (Row): The row.
        RETURNS (Tuple[Dict[str, Scalar], ...]): The records, checked.
        RAISES (InputError): If the function fails or gives what no table can hold.
        """
        doc.user_data[THRESHOLDS_KEY] = dict(self.thresholds)
        try:
            answer = self.function(doc, row)
            if isinstance(answer, (Mapping, str, bytes)):
                raise TypeError(f"expected a list of records, got {type(answer).__name__}")
            found: List[Any] = list(islice(answer, MAX_RECORDS + 1))
        except Exception as e:  # a user's function may raise anything: it is about this row only
            detail = f"{type(e).__name__}: {e}"
            raise InputError(Errors.H631.format(name=self.name, detail=detail)) from e
        finally:
            doc.user_data.pop(THRESHOLDS_KEY, None)
        if len(found) > MAX_RECORDS:
            problem = f"more than {MAX_RECORDS:,} records for one row"
            raise InputError(Errors.H632.format(name=self.name, problem=problem))
        for record in found:
            problem = wrong_with(record)
            if problem:
                raise InputError(Errors.H632.format(name=self.name, problem=problem))
        return tuple(dict(record) for record in found)


def wrong_with(record: Any) -> str:
    """Find out why a value can't be a row of a table.

    record (Any): What a business function gave.
    RETURNS (str): The first thing that is wrong with it; empty if it can be one.

    >>> wrong_with({"name": "K9", "price": 199.0, "latest": False, "predecessor": None})
    ''
    >>> wrong_with({"names": ["K9", "K10"]})
    "'names' of type list"
    """
    if not isinstance(record, Mapping):
        return f"a record of type {type(record).__name__}"
    if len(record) > MAX_FIELDS:
        return f"a record with {len(record):,} fields, of which {MAX_FIELDS} are the most"
    for name, value in record.items():
        if not isinstance(name, str) or not name or len(name) > MAX_NAME or not _is_clean(name):
            return f"a field named {str(name)[:MAX_NAME]!r}: a name has 1 to {MAX_NAME} characters"
        if name in ROW_FIELDS:
            return f"a field named '{name}', which is the row's own"
        problem = _wrong_with_value(value)
        if problem:
            return f"'{name}' {problem}"
    return ""


def _wrong_with_value(value: Any) -> str:
    # The exact types: what only looks like a number (numpy's) no database driver takes.
    if value is None or type(value) is bool:
        return ""
    if type(value) is str:
        if len(value) > MAX_CHARS:
            return f"of {len(value):,} characters, of which {MAX_CHARS:,} are the most"
        return "" if _is_clean(value) else "with a NUL character or a lone surrogate"
    if type(value) is int:
        return "" if -MAX_INT <= value <= MAX_INT else "of more than 64 bits"
    if type(value) is float:
        return "" if math.isfinite(value) else f"of the value {value}"
    return f"of type {type(value).__name__}"


def _is_clean(text: str) -> bool:
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def resolve_business(block: Mapping[str, Any], nlp: Optional[Language] = None) -> BusinessLogic:
    """Make the function that a config names.

    block (Mapping[str, Any]): As {"@misc": "phones.Business.v1", "catalog": "catalog.jsonl"}.
    nlp (Optional[Language]): The pipeline, for its thresholds.
    RETURNS (BusinessLogic): The function with its bounds.
    RAISES (InputError): If there is none of that name, or it can't be made.
    """
    name = str(block.get("@misc", "without a name"))
    try:
        function = registry.resolve({"business": dict(block)})["business"]
    except Exception as e:  # a user's own maker may raise anything
        raise InputError(Errors.H630.format(name=name, detail=str(e).strip())) from e
    if not callable(function):
        detail = f"it is {type(function).__name__}, not something that can be called"
        raise InputError(Errors.H630.format(name=name, detail=detail))
    made: Business = function
    return BusinessLogic(made, name=name, thresholds={} if nlp is None else thresholds_of(nlp))


def thresholds_of(nlp: Language) -> Dict[str, float]:
    """RETURNS (Dict[str, float]): By component, the lowest score at which a category holds. Only
    of components whose categories don't exclude one another.
    """
    return {
        name: threshold_of(nlp, name)
        for name in nlp.pipe_names
        if nlp.get_pipe_meta(name).factory == "textcat_multilabel"
    }


def check_business(block: Mapping[str, Any], code: Optional[Path]) -> str:
    """Find out before a run whether its business logic can be made, and what it is made of.

    block (Mapping[str, Any]): The [hitl.business] of a config.
    code (Optional[Path]): Python file with the user's registered functions; imported.
    RETURNS (str): A digest of the block and of all files that it names.
    RAISES (InputError): If it can't be made.
    """
    if code is not None:
        try:
            import_once(code)
        except HitlError:
            raise
        except Exception as e:  # any code
            detail = f"importing {code} raised {type(e).__name__}: {e}"
            raise InputError(
                Errors.H630.format(name=block.get("@misc", "without a name"), detail=detail)
            ) from e
    resolve_business(block)
    files = sorted({text for text in strings_in(dict(block)) if _is_file(text)})
    return json_digest([dict(block), [[name, file_digest(Path(name))] for name in files]])


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        return False
