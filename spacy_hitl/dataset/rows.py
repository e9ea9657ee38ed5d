"""Read the user's texts: JSON lines with an id, a text, maybe a lane, and anything else as meta."""

from pathlib import Path
from typing import Dict, List

from ..errors import Errors, InputError
from ..io import check_text, read_jsonl
from ..records import LANES, Row
from ..settings import DataSettings


def read_rows(path: Path, settings: DataSettings) -> List[Row]:
    """Read and check all rows of a file before any of it is used.

    path (Path): JSONL, one row per line.
    settings (DataSettings): Names of the fields, bound for the length of a text.
    RETURNS (List[Row]): The rows, in the order of the file; their source is the file's name.
    RAISES (InputError): At the first row that can't be used: broken JSON, no id or text, an id
        that comes twice, an unusable text, an unknown lane.
    """
    rows: List[Row] = []
    seen: Dict[str, str] = {}
    fields = (settings.id_field, settings.text_field, settings.lane_field)
    for where, record in read_jsonl(path, what="texts"):
        names = {"id_field": settings.id_field, "text_field": settings.text_field}
        id_, text, lane = (record.get(f) for f in fields)
        if isinstance(id_, int) and not isinstance(id_, bool):
            id_ = str(id_)
        if not isinstance(id_, str) or not id_:
            raise InputError(Errors.H008.format(where=where, field=settings.id_field, **names))
        if not isinstance(text, str):
            raise InputError(Errors.H008.format(where=where, field=settings.text_field, **names))
        if id_ in seen:
            raise InputError(Errors.H052.format(where=where, id=id_, first=seen[id_]))
        if lane is not None and lane not in LANES:
            raise InputError(Errors.H054.format(where=where, lane=lane, lanes=", ".join(LANES)))
        seen[id_] = where
        meta = {k: v for k, v in record.items() if k not in fields}
        row = Row(source=path.name, id=id_, text=text, lane=lane, meta=meta)
        rows.append(check_row(row, where=where, settings=settings))
    return rows


def check_row(row: Row, *, where: str, settings: DataSettings) -> Row:
    """RETURNS (Row): The same row, if its id and text can be stored and shown as they are.
    RAISES (InputError): If not.
    """
    check_text(row.id, where=f"{where} (id)", max_chars=1000)
    check_text(row.text, where=where, max_chars=settings.max_chars)
    return row
