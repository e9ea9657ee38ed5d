"""Records go to JSON and back without loss; what is not a record is refused with its place."""

import importlib
import json
import pkgutil
from dataclasses import fields
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spacy_hitl
from spacy_hitl import records as r
from spacy_hitl.apply.drift import CascadeDrift
from spacy_hitl.distill.search.continuing import Distilled, LearnedCorpus
from spacy_hitl.distill.search.results import MixScore, SearchResult
from spacy_hitl.exchange.adapters.docbin import RowName, StoredText
from spacy_hitl.exchange.adapters.losses import Loss, LossReport
from spacy_hitl.exchange.exported import Exported, TaskState
from spacy_hitl.pipeline.cascade import CascadeAnswer, Disagreement, Drift
from spacy_hitl.promote.history import Swap
from spacy_hitl.scoring.cascade import CascadePlan, CascadePoint
from spacy_hitl.scoring.curves import Curve, CurvePoint
from spacy_hitl.scoring.estimates import Figure, Stratum, TaskEstimates
from spacy_hitl.scoring.gate import Verdict
from spacy_hitl.scoring.results import (
    Comparison,
    Confusion,
    ErrorCount,
    GoldOutput,
    LabelScore,
    LlmUse,
    SliceScore,
    Speed,
    SystemScore,
    TaskMetrics,
    Utility,
)

# Any characters, astral ones and lone surrogates included: answers of models hold everything.
words = st.text(max_size=12)
chars = st.sampled_from(["", "Nebula 👩‍🚀", "𝔸𝕓", "e\u0301", "\u2028", "\ud800", '"\\\n'])
strings = st.one_of(words, chars)
maybe = st.none() | strings
numbers = st.floats(allow_nan=False, allow_infinity=False)
scores = st.none() | numbers
counts = st.integers(0, 2**40)
maybe_counts = st.none() | counts
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | strings,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def tuples(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


spans = st.builds(r.SpanAnnotation, counts, counts, strings, maybe, scores, maybe)
cats = st.builds(r.CategoryAnnotation, strings, scores, maybe)
relations = st.builds(r.RelationAnnotation, counts, counts, counts, counts, strings, scores, maybe)
annotations = st.builds(r.Annotation, tuples(spans), tuples(cats), tuples(relations))
problems = st.builds(r.Problem, strings, strings)
lanes, statuses = st.sampled_from(r.LANES), st.sampled_from(r.STATUSES)
origins = st.sampled_from(r.ORIGINS)
proposals = st.builds(
    r.Proposal,
    *(strings, strings, strings, statuses, strings),
    annotation=annotations,
    problems=tuples(problems),
    sample=counts,
    response_key=maybe,
)
decisions = st.builds(
    r.Decision,
    *(strings, strings, st.sampled_from(r.ACTIONS), strings, origins, strings),
    annotation=st.none() | annotations,
    saw_proposal=maybe,
    seconds=scores,
    time=scores,
    uid=maybe,
    undoes=maybe,
    mode=st.none() | st.sampled_from(r.MODES),
    edits=st.none() | counts,
    labels=st.none() | tuples(strings),
    ranges=st.none() | tuples(st.tuples(counts, counts)),
    flagged=st.booleans(),
    note=maybe,
)
preferences = st.builds(
    r.Preference, strings, strings, strings, strings, strings, strings, strings, scores
)
looks = st.builds(
    r.Look, st.none() | tuples(strings), st.none() | tuples(st.tuples(counts, counts))
)
partials = st.builds(r.PartialDecision, annotations, tuples(looks))
changes = st.builds(
    r.TaskChanges,
    st.dictionaries(strings, strings, max_size=3),
    st.dictionaries(strings, tuples(strings), max_size=3),
    tuples(strings),
)
headers = st.builds(
    r.TaskHeader,
    *(strings, strings, tuples(strings), strings, st.booleans(), maybe, maybe),
)
bounds = st.none() | st.tuples(numbers, numbers)
labels = st.builds(LabelScore, strings, counts, counts, counts, *(numbers,) * 3, *(bounds,) * 3)
error_counts = st.builds(ErrorCount, strings, strings, counts)
confusions = st.builds(Confusion, strings, strings, counts)
slices = st.builds(SliceScore, strings, strings, counts, numbers, numbers, numbers)
speeds = st.builds(
    Speed, numbers, tuples(numbers), *(scores,) * 4, maybe, *(maybe_counts,) * 2, scores
)
llm_uses = st.builds(LlmUse, counts, numbers, *(scores,) * 4)
utilities = st.builds(Utility, numbers, numbers, numbers)
outputs = st.builds(
    GoldOutput,
    *(strings, strings, annotations, tuples(st.tuples(strings, annotations))),
    tuples(st.tuples(strings, tuples(st.tuples(strings, numbers)))),
)
systems = st.builds(
    SystemScore,
    *(strings, strings, numbers, numbers, numbers, numbers, numbers),
    labels=tuples(labels),
    accuracy=scores,
    failed=counts,
    words_per_s=scores,
    megabytes=scores,
    digest=maybe,
    needs=tuples(st.tuples(strings, strings)),
    threshold=scores,
    gain=st.none() | st.tuples(numbers, numbers, numbers),
    errors=tuples(error_counts),
    confusion=tuples(confusions),
    slices=tuples(slices),
    speed=st.none() | speeds,
    llm=st.none() | llm_uses,
    utility=st.none() | utilities,
)
comparisons = st.builds(Comparison, strings, strings, *(numbers,) * 4, st.none() | utilities)
metas = st.none() | st.dictionaries(words, json_values, max_size=3)
plain_values = st.booleans() | st.integers() | numbers | strings
row_metas = st.builds(
    r.RowMeta, strings, st.none() | st.dictionaries(words, plain_values, max_size=3)
)
row_names = st.builds(RowName, strings, strings, metas)
losses = st.builds(Loss, strings, counts, tuples(strings))
triples = st.none() | st.tuples(numbers, numbers, numbers)
pairs = tuples(st.tuples(strings, strings))
points = st.builds(CurvePoint, *(numbers,) * 5, triples, scores)
mixes = st.builds(
    MixScore, strings, strings, *(scores,) * 3, triples, scores, scores, counts, numbers, maybe
)
learned = st.builds(LearnedCorpus, strings, strings, strings, pairs, pairs)
span_groups = st.builds(r.SpanGroupFound, strings, tuples(spans))
EVERY = {
    r.SpanGroupFound: span_groups,
    r.Found: st.builds(
        r.Found,
        *(*(strings,) * 3, tuples(spans), tuples(cats), tuples(span_groups), tuples(relations)),
        tuples(st.tuples(strings, statuses)),
        tuples(strings),
    ),
    r.FailedRow: st.builds(r.FailedRow, strings, strings, maybe),
    r.AuditDraw: st.builds(
        r.AuditDraw,
        st.builds(r.Row, strings, strings, strings, st.none() | lanes, metas),
        tuples(proposals),
    ),
    r.AppliedTo: st.builds(
        r.AppliedTo, *(strings,) * 4, counts, *(strings,) * 3, counts, scores, maybe, maybe
    ),
    CurvePoint: points,
    Curve: st.builds(
        Curve, *(strings,) * 4, *(counts,) * 5, numbers, numbers, strings, strings, tuples(points)
    ),
    MixScore: mixes,
    SearchResult: st.builds(
        SearchResult,
        *(*(strings,) * 7, *(counts,) * 6, numbers, numbers, strings, strings, tuples(mixes)),
    ),
    LearnedCorpus: learned,
    Distilled: st.builds(
        Distilled, strings, tuples(learned), pairs, strings, strings, st.none() | counts, maybe
    ),
    RowName: row_names,
    StoredText: st.builds(
        StoredText, strings, lanes, tuples(row_names), tuples(decisions), tuples(counts)
    ),
    Loss: losses,
    LossReport: st.builds(LossReport, tuples(losses), tuples(losses)),
    r.SpanAnnotation: spans,
    r.CategoryAnnotation: cats,
    r.RelationAnnotation: relations,
    r.Annotation: annotations,
    r.Problem: problems,
    r.ParsedAnswer: st.builds(r.ParsedAnswer, statuses, annotations, tuples(problems)),
    r.Message: st.builds(r.Message, strings, strings),
    r.Response: st.builds(r.Response, strings, *(maybe,) * 5, seconds=scores),
    r.Proposal: proposals,
    r.Decision: decisions,
    r.Preference: preferences,
    r.Look: looks,
    r.PartialDecision: partials,
    r.TaskChanges: changes,
    r.TaskVersion: st.builds(r.TaskVersion, headers, strings, changes),
    r.Row: st.builds(
        r.Row,
        *(strings, strings, strings, st.none() | lanes),
        st.none() | st.dictionaries(words, json_values, max_size=3),
    ),
    r.TaskHeader: headers,
    r.TaskRow: st.builds(
        r.TaskRow,
        *(strings, strings, lanes),
        decision=st.none() | annotations,
        origin=st.none() | origins,
        blind=st.booleans(),
        proposal=st.none() | proposals,
        partial=st.none() | partials,
        bulk=st.booleans(),
        rows=tuples(row_metas),
    ),
    r.RowMeta: row_metas,
    r.Suspect: st.builds(
        r.Suspect,
        *(strings, strings, st.sampled_from(r.PROBLEMS), numbers),
        given=annotations,
        suggested=annotations,
        decided=st.booleans(),
    ),
    r.SuspectsHeader: st.builds(
        r.SuspectsHeader,
        *(strings, strings, strings, counts, counts, counts, counts),
        thresholds=st.dictionaries(strings, numbers, max_size=3),
    ),
    r.Counts: st.builds(r.Counts, counts, counts, counts),
    LabelScore: labels,
    SystemScore: systems,
    TaskMetrics: st.builds(
        TaskMetrics,
        *(headers, strings, counts, tuples(st.tuples(strings, counts)), st.booleans()),
        systems=tuples(systems),
        comparisons=tuples(comparisons),
        gold_digest=maybe,
        train_digest=maybe,
        human_seconds=scores,
        human_gold_seconds=scores,
        notes=tuples(strings),
    ),
    ErrorCount: error_counts,
    Confusion: confusions,
    SliceScore: slices,
    Speed: speeds,
    LlmUse: llm_uses,
    Utility: utilities,
    GoldOutput: outputs,
    Comparison: comparisons,
    Verdict: st.builds(Verdict, strings, st.booleans(), tuples(strings), tuples(strings)),
    Swap: st.builds(Swap, strings, maybe, strings, scores),
}
numbered = tuples(st.tuples(strings, counts))
strata = st.builds(
    lambda a, b, c: Stratum(a + b + c + 1, a + b + 1, a), *(st.integers(0, 2**20),) * 3
)
figures = st.builds(
    Figure,
    *(strings, numbers, numbers, numbers, strings, counts, counts, numbered, counts, maybe),
    tuples(strata),
)
EVERY.update(
    {
        Stratum: strata,
        Figure: figures,
        TaskEstimates: st.builds(TaskEstimates, headers, strings, tuples(figures), tuples(strings)),
    }
)
corpus_digests = st.builds(
    r.CorpusDigest,
    *(*(strings,) * 5, counts, counts, strings, numbered, numbered),
    *(counts, counts, numbered, counts, strings),
)
learned_records = st.builds(
    r.Learned,
    *(strings, tuples(corpus_digests), pairs, pairs, pairs, st.none() | counts, maybe),
)
prompts = st.builds(r.PromptDigest, strings, strings, *(maybe,) * 4)
student_lineages = st.builds(
    r.StudentLineage,
    *(strings, strings, strings, st.dictionaries(strings, numbers, max_size=3)),
    *(st.tuples(numbers, numbers), counts, numbered, st.booleans(), maybe, maybe, pairs),
    prompt=st.none() | prompts,
    learned=st.none() | learned_records,
)
EVERY.update(
    {
        r.CorpusDigest: corpus_digests,
        r.Learned: learned_records,
        r.PromptDigest: prompts,
        r.StudentLineage: student_lineages,
        r.Lineage: st.builds(
            r.Lineage,
            *(strings, strings, pairs, maybe, maybe),
            students=st.dictionaries(words, student_lineages, max_size=2),
            prompted=tuples(strings),
            held=st.dictionaries(words, tuples(strings), max_size=2),
            parts=pairs,
            learned=st.none() | learned_records,
        ),
    }
)
disagreements = st.builds(Disagreement, counts, counts)
drifts = st.builds(Drift, counts, disagreements, disagreements, counts, counts)
cascade_points = st.builds(CascadePoint, *(numbers,) * 5, *(scores,) * 3)
triples = st.tuples(numbers, numbers, numbers)
EVERY.update(
    {
        CascadeAnswer: st.builds(
            CascadeAnswer, strings, numbers, maybe, st.none() | st.booleans(), st.booleans()
        ),
        Disagreement: disagreements,
        Drift: drifts,
        CascadeDrift: st.builds(CascadeDrift, strings, drifts),
        CascadePoint: cascade_points,
        CascadePlan: st.builds(
            CascadePlan,
            *(strings, strings, strings, counts, st.booleans()),
            *(tuples(st.tuples(numbers, numbers)), cascade_points, tuples(cascade_points)),
            *(triples, st.none() | triples),
        ),
    }
)
task_states = st.builds(TaskState, strings, *(counts,) * 4, maybe, maybe)
EVERY.update(
    {
        TaskState: task_states,
        Exported: st.builds(Exported, st.dictionaries(strings, task_states, max_size=3)),
    }
)
CASES = [pytest.param(cls, strategy, id=cls.__name__) for cls, strategy in EVERY.items()]


@pytest.mark.needs("dev")  # every module is imported
def test_every_record_is_tested() -> None:
    for module in pkgutil.walk_packages(spacy_hitl.__path__, "spacy_hitl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: List[type] = []
    todo = [r.Record]
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        found.append(cls)
    package = {cls for cls in found if cls.__module__.startswith("spacy_hitl")}
    assert package - {r.Record} == set(EVERY)


@pytest.mark.parametrize("cls, strategy", CASES)
@given(data=st.data())
def test_round_trip(cls: type, strategy: Any, data: st.DataObject) -> None:
    record = data.draw(strategy)
    value = json.loads(json.dumps(record.to_dict()))
    back = cls.from_dict(value)
    assert (type(back), back) == (cls, record)
    assert back.to_dict() == record.to_dict()
    assert value["v"] == r.VERSION


@pytest.mark.parametrize("cls, strategy", CASES)
@given(data=st.data())
def test_refuses_unknown_fields_types_and_versions(
    cls: type, strategy: Any, data: st.DataObject, fails: Any
) -> None:
    record = data.draw(strategy)
    value = record.to_dict()
    name = data.draw(st.sampled_from([f.name for f in fields(record)]))
    with fails("H004", "some.jsonl:7", cls.__name__, "'surprise'"):
        cls.from_dict({**value, "surprise": 1}, where="some.jsonl:7")
    with fails("H004", "some.jsonl:7", cls.__name__, f"'{name}"):
        cls.from_dict({**value, name: {"not": {"what": object()}, 1: 2}}, where="some.jsonl:7")
    with fails("H004", "some.jsonl:7", cls.__name__, "version 2", "reads 1"):
        cls.from_dict({**value, "v": 2}, where="some.jsonl:7")
    with fails("H004", "some.jsonl:7", cls.__name__, "found list"):
        cls.from_dict([value], where="some.jsonl:7")


@pytest.mark.parametrize(
    "cls, value, place",
    [
        (r.Message, {"role": "user"}, "'content'"),
        (r.Annotation, {"spans": [{"start": 0}]}, "'spans.0.end'"),
        (r.Annotation, {"spans": [{"start": 0, "end": 1, "x": 1}]}, "'spans.0.x'"),
        (r.Annotation, {"spans": [{"start": "a", "end": 1}]}, "'spans.0.start'"),
        (r.ParsedAnswer, {"status": "fine"}, "'fine' is not one of ok, empty"),
        (r.Row, {"source": "a", "id": "b", "text": "c", "lane": "test"}, "'lane'"),
    ],
)
def test_error_names_the_nested_place(cls: Any, value: Any, place: str, fails: Any) -> None:
    with fails("H004", "here", place):
        cls.from_dict(value, where="here")


def test_defaults_are_left_out() -> None:
    assert r.SpanAnnotation(0, 3).to_dict() == {"v": 1, "start": 0, "end": 3}
    assert r.SpanAnnotation(0, 3, score=0.0).to_dict() == {"v": 1, "start": 0, "end": 3, "score": 0}


@pytest.mark.parametrize("status", r.STATUSES)
def test_only_ok_and_empty_are_usable(status: str) -> None:
    proposal = r.Proposal("digest", "task", "model", status, "task digest")
    assert proposal.usable == (status in ("ok", "empty"))
