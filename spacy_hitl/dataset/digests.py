"""What a corpus or a dataset holds for one task, in digests: what a lineage keeps of it."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ..io import canonical_json, file_digest, json_digest, read_jsonl
from ..records import Annotation, CorpusDigest, TaskHeader, TaskRow
from .corpus import read_training_corpus

SCORES = ("score", "score_source")


def describe_corpus(value: str) -> CorpusDigest:
    """Take down what an exported corpus holds.

    value (str): Its path, as a config names it.
    RETURNS (CorpusDigest): Counts and digests.
    RAISES (InputError): If it can't be read, or holds gold.
    """
    path = Path(value)
    _, first = next(read_jsonl(path, what="corpus"))
    header, rows = read_training_corpus(path, first["task"])
    return describe_rows(header, rows, name=plain_name(value), digest=file_digest(path))


def describe_rows(
    header: TaskHeader, rows: Sequence[TaskRow], *, name: str = "", digest: str = ""
) -> CorpusDigest:
    """Count and digest the rows of one task. Their order does not matter, nor do scores.

    header (TaskHeader): The task.
    rows (Sequence[TaskRow]): Rows of lanes train and dev.
    name, digest (str): The file they were read from.
    RETURNS (CorpusDigest): Counts and digests.
    """
    decided = [row for row in rows if row.decision is not None]
    proposed = [
        row.proposal
        for row in rows
        if row.decision is None and row.proposal is not None and row.proposal.usable
    ]
    return CorpusDigest(
        name=name,
        task=header.task,
        kind=header.kind,
        task_digest=header.task_digest,
        digest=digest,
        decisions=len(decided),
        partial=sum(row.partial is not None for row in rows),
        decisions_digest=decisions_digest(rows),
        lanes=_count(row.lane for row in decided),
        origins=_count(row.origin for row in decided if row.origin is not None),
        bulk=sum(row.bulk for row in decided),
        proposals=len(proposed),
        sources=_count(plain_name(p.source) for p in proposed),
        answers=len(answers_of(rows)),
        answers_digest=json_digest(answers_of(rows)),
    )


def decisions_of(rows: Iterable[TaskRow]) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): By text digest, a digest of what was decided, whole or in part."""
    return {
        row.text_digest: json_digest([row.lane, *_said(row)])[:16]
        for row in rows
        if row.decision is not None or row.partial is not None
    }


def decisions_digest(rows: Iterable[TaskRow]) -> str:
    """RETURNS (str): One digest of all that was decided, whatever the order."""
    return json_digest(sorted(decisions_of(rows).items()))


def answers_of(rows: Iterable[TaskRow]) -> List[str]:
    """RETURNS (List[str]): Keys of the stored answers behind usable proposals, sorted."""
    proposals = (row.proposal for row in rows)
    return sorted(
        {p.response_key for p in proposals if p is not None and p.usable and p.response_key}
    )


def plain_name(value: str) -> str:
    """Keep the folders of one machine out of what is published.

    value (str): A path or the name of a model.
    RETURNS (str): The same, but only the last part of an absolute path.

    >>> plain_name("corpus/product.jsonl"), plain_name("/home/ada/corpus/product.jsonl")
    ('corpus/product.jsonl', 'product.jsonl')
    """
    outside = Path(value).is_absolute() or value.startswith(("..", "~"))
    return Path(value).name if outside else value


def _said(row: TaskRow) -> Tuple[Any, Any]:
    if row.partial is None:
        return _plain(row.decision), None
    partial = row.partial.to_dict()
    partial["annotation"] = _plain(row.partial.annotation)
    return _plain(row.decision), partial


def _plain(annotation: Optional[Annotation]) -> Any:
    """What an annotation says, in one order and without scores: these are calibrated anew."""
    if annotation is None:
        return None
    value = annotation.to_dict()
    return {
        kind: sorted(
            ({k: v for k, v in one.items() if k not in SCORES} for one in items),
            key=canonical_json,
        )
        for kind, items in value.items()
        if kind != "v"
    }


def _count(values: Iterable[str]) -> Tuple[Tuple[str, int], ...]:
    return tuple(sorted(Counter(values).items()))
