"""What was found for a row, as the values of the tables. Pure."""

import json
import math
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from sqlalchemy import Table

from ...io import strings_in
from ...records import Found, SpanAnnotation
from ..sinks import Records
from .tables import (
    business,
    categories,
    links,
    mentions,
    relations,
    row_key,
    unanswered,
)

MAX_BYTES = 1000  # of a name: an index of PostgreSQL holds 2,700 bytes at most
ABSTAINED = "abstained"

Value = Dict[str, Any]


@dataclass(frozen=True)
class Values:
    """What one row becomes: in `rows`, and in each of the other tables."""

    row: Value
    of: Dict[Table, List[Value]] = field(default_factory=dict)


def plain(value: str) -> str:
    """RETURNS (str): A string that every database holds: without NUL and lone surrogates."""
    return value.replace("\x00", "\\x00").encode("utf8", "backslashreplace").decode("utf8")


def to_values(
    found: Found, records: Optional[Records], run: str, shard: int, pipeline_digest: str
) -> Values:
    """Turn what was found into values.

    found (Found): Of one row.
    records (Optional[Records]): Of business logic.
    run (str): Key of the run. shard (int): Number of the shard. pipeline_digest (str): Of the
        pipeline's folder.
    RETURNS (Values): The values, by table.
    RAISES (ValueError): If a database can't hold them.
    """
    content = found.to_dict()
    for name in strings_in(content):
        if plain(name) != name:
            raise ValueError(f"{name[:50]!r} holds a NUL or half of a surrogate pair")
        if len(name.encode("utf8")) > MAX_BYTES:
            raise ValueError(f"'{name[:50]}...' is longer than {MAX_BYTES} bytes")
    key = row_key(found.source, found.id, pipeline_digest)
    spans: List[Tuple[Optional[str], SpanAnnotation]] = [(None, ent) for ent in found.ents]
    spans += [(group.key, span) for group in found.spans for span in group.spans]
    scores = [span.score for _, span in spans]
    scores += [one.score for one in found.cats] + [one.score for one in found.relations]
    if any(score is not None and not math.isfinite(score) for score in scores):
        raise ValueError("a score is no finite number")
    statuses = {**dict.fromkeys(found.abstained, ABSTAINED), **dict(found.unanswered)}
    row = {
        "row_key": key,
        "source": found.source,
        "id": found.id,
        "pipeline_digest": pipeline_digest,
        "text_digest": found.text_digest,
        "run_id": run,
        "shard": shard,
    }
    of: Dict[Table, List[Value]] = {
        mentions: [
            {
                "row_key": key,
                "mention": n,
                "start_char": span.start,
                "end_char": span.end,
                "label": span.label,
                "span_group": group,
                "score": span.score,
            }
            for n, (group, span) in enumerate(spans)
        ],
        links: [
            {"row_key": key, "mention": n, "kb_id": span.kb_id}
            for n, (_, span) in enumerate(spans)
            if span.kb_id is not None
        ],
        categories: [{"row_key": key, "label": c.label, "score": c.score} for c in found.cats],
        relations: [
            {
                "row_key": key,
                "relation": n,
                "head_start": one.head_start,
                "head_end": one.head_end,
                "tail_start": one.tail_start,
                "tail_end": one.tail_end,
                "label": one.label,
                "score": one.score,
            }
            for n, one in enumerate(found.relations)
        ],
        unanswered: [
            {"row_key": key, "component": name, "status": status}
            for name, status in statuses.items()
        ],
        business: [
            {"row_key": key, "record": n, "content": _content(record)}
            for n, record in enumerate(records or ())
        ],
    }
    return Values(row, of)


def _content(record: Any) -> str:
    # As escapes a NUL would be text, but PostgreSQL's JSON functions refuse it.
    text = json.dumps(dict(record), ensure_ascii=False, sort_keys=True, allow_nan=False)
    if plain(text) != text or "\\u0000" in text:
        raise ValueError("a record holds a NUL or half of a surrogate pair")
    return text
