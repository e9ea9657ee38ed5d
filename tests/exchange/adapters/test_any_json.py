"""Whatever JSON comes in place of a record: an item, or an error with its place. Nothing else."""

import copy
from typing import Any, List, Tuple

import pytest
from adapter_util import TASKS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_hitl.errors import InputError
from spacy_hitl.exchange.adapters.doccano import read_doccano
from spacy_hitl.exchange.adapters.label_studio import read_label_studio
from spacy_hitl.exchange.adapters.prodigy import read_prodigy

TEXT = "The 😀 Nebula beats\r\nthe K10."
SPAN = {"start": 6, "end": 12, "label": "A", "text": "Nebula", "token_start": 2, "token_end": 2}
OTHER = {"start": 24, "end": 27, "label": "B", "kb_id": "Q1", "source": "m", "score": 0.5}


def region(id_: str, start: int, end: int) -> Any:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": ["A"]}
    return {"id": id_, "type": "labels", "value": value, "origin": "manual", "score": 0.1}


RECORDS = {
    read_prodigy: {
        "text": TEXT,
        "meta": {"id": 1},
        "tokens": [{"start": 0, "end": 3, "id": 0}],
        "spans": [SPAN, OTHER],
        "relations": [{"head": 2, "child": 0, "label": "A", "child_span": OTHER}],
        "options": [{"id": "A", "text": "A"}],
        "accept": ["A"],
        "label": "A",
        "answer": "accept",
        "flagged": False,
        "_timestamp": 3,
        "_annotator_id": "ann",
        "_view_id": "ner",
        "saw_proposal": "m",
    },
    read_label_studio: {
        "id": 3,
        "data": {"text": TEXT, "id": "x"},
        "annotations": [
            {
                "result": [
                    region("a", 6, 12),
                    region("b", 24, 27),
                    {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["A"]},
                    {
                        "id": "a",
                        "type": "textarea",
                        "value": {"start": 6, "end": 12, "text": ["Q1"]},
                    },
                    {"id": "b", "type": "taxonomy", "value": {"start": 6, "taxonomy": [["Q1"]]}},
                    {"type": "choices", "value": {"choices": ["A"]}},
                ],
                "completed_by": {"email": "a@b.c"},
                "was_cancelled": False,
                "updated_at": "2026-01-01T00:00:00Z",
                "lead_time": 1.5,
                "action": "accept",
            }
        ],
        "predictions": [{"model_version": "m", "score": 0.3, "result": [region("a", 6, 12)]}],
    },
    read_doccano: {
        "id": 3,
        "text": TEXT,
        "label": ["A", [6, 12, "A"]],
        "entities": [{"id": 0, "start_offset": 6, "end_offset": 12, "label": "A"}],
        "relations": [{"from_id": 0, "to_id": 1, "type": "A"}],
        "Comments": [],
        "decided": True,
    },
}
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([10**400, 0.5, float("nan"), float("-inf"), 1e308]),
    st.sampled_from(["", "A", "Q1", "NIL_x", "accept", "\ud800", "\x1b[0m", "6", "a", "relation"]),
)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["start", "end", "label", "id", "text", "value", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: Tuple[Any, ...] = ()) -> List[Tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        nested = isinstance(inner, (dict, list))
        found += places(inner, (*path, key)) if nested else [(*path, key)]
    return found


@st.composite
def damaged(draw: Any, record: Any) -> Any:
    """A record in which a few places hold something else, or nothing."""
    record = copy.deepcopy(record)
    for path in draw(st.lists(st.sampled_from(places(record)), min_size=1, max_size=3)):
        inner = record
        try:
            for key in path[:-1]:
                inner = inner[key]
            if draw(st.booleans()):
                inner[path[-1]] = draw(ANY)
            else:
                del inner[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # what led there is gone already
    return record


@pytest.mark.parametrize("read", RECORDS, ids=lambda read: read.__name__)
def test_any_json(read: Any) -> None:
    refused = 0

    @settings(max_examples=400, suppress_health_check=list(HealthCheck))
    @given(damaged(RECORDS[read]), st.sampled_from(sorted(TASKS)))
    def check(record: Any, kind: str) -> None:
        nonlocal refused
        try:
            found, lost = read([("f:7", record)], TASKS[kind])
        except InputError as e:
            refused += 1
            assert str(e).startswith("[H070] f:7: "), e
            return
        for item in found:
            assert (item.text and isinstance(item.text, str)) or item.text == ""
            for answer in item.answers:
                spans = answer.annotation.spans if answer.annotation else ()
                assert all(0 <= s.start < s.end <= len(item.text) for s in spans)
        for loss in (*lost.losses, *lost.notes):
            assert loss.count >= len(loss.examples) > 0
            assert all(example.isprintable() for example in loss.examples)

    check()
    assert 20 < refused < 390, "both ways are taken"
