"""Files of suspects: a header, then one line per annotation that is probably wrong."""

from pathlib import Path
from typing import List, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import read_jsonl, write_jsonl
from ..records import Suspect, SuspectsHeader


def write_suspects(path: Path, header: SuspectsHeader, suspects: Sequence[Suspect]) -> None:
    """Write suspects, the most suspicious first: the same suspects always give the same bytes."""
    ordered = sorted(suspects, key=lambda s: (-s.score, s.text_digest, repr(s.to_dict())))
    write_jsonl(path, (record.to_dict() for record in (header, *ordered)))


def read_suspects(path: Path) -> Tuple[SuspectsHeader, List[Suspect]]:
    """Read suspects.

    path (Path): A file written by `write_suspects`.
    RETURNS (Tuple[SuspectsHeader, List[Suspect]]): How they were found, and the suspects.
    RAISES (InputError): If the file is missing or a line is not what it should be.
    """
    lines = read_jsonl(path, what="file of suspects (made by 'spacy hitl suspects')")
    first = next(lines, None)
    if first is None:
        problem = "the file is empty, expected a header line. Run 'spacy hitl suspects' again"
        raise InputError(Errors.H004.format(where=path, problem=problem))
    header = SuspectsHeader.from_dict(first[1], where=first[0])
    return header, [Suspect.from_dict(value, where=where) for where, value in lines]
