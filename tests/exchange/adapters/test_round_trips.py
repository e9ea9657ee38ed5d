"""Dataset -> tool -> dataset: the same, or it is in the report."""

from dataclasses import replace
from typing import Any, Dict, List

import pytest
from adapter_util import (
    DIGEST,
    KEY,
    MODEL,
    TASKS,
    Content,
    by_doccano,
    by_label_studio,
    by_prodigy,
    contents,
    history_of,
    send,
)
from hypothesis import HealthCheck, given, settings

from spacy_hitl.dataset.decisions import standing
from spacy_hitl.exchange.adapters.offsets import countable, doubtful
from spacy_hitl.io import text_digest
from spacy_hitl.records import ACCEPT, Annotation, Decision, SpanAnnotation

KINDS = sorted(TASKS)
EXAMPLES = settings(max_examples=30, suppress_health_check=list(HealthCheck))


def final(decisions: List[Decision]) -> Dict[str, List[Decision]]:
    """By text, the last answer of each annotator: a skip only if there is no other."""
    found: Dict[str, List[Decision]] = {}
    for digest in dict.fromkeys(d.text_digest for d in decisions):
        mine = [d for d in decisions if d.text_digest == digest]
        names = dict.fromkeys(d.annotator for d in mine)
        for name in names:
            theirs = [d for d in mine if d.annotator == name]
            answers = [d for d in theirs if d.action != "skip"] or theirs
            found.setdefault(digest, []).append(answers[-1])
    return found


def plain(decision: Decision, **changes: Any) -> Decision:
    """What any tool can hold of a decision."""
    held = decision.annotation
    if decision.action != ACCEPT and held == Annotation():
        held = None
    kept = replace(decision, annotation=held, origin="import", seconds=None, time=None)
    return replace(kept, **changes)


def by_name(decisions: List[Decision]) -> Dict[str, Decision]:
    assert len({d.annotator for d in decisions}) == len(decisions)
    return {d.annotator: d for d in decisions}


def same_text(content: Content, rows: Any) -> None:
    assert {row.text: row.meta or {} for row in rows} == {
        row.text: row.meta or {} for row in content.rows
    }
    assert {row.id for row in rows} == {row.id for row in content.rows}


@pytest.mark.parametrize("kind", KINDS)
def test_prodigy(kind: str) -> None:
    @EXAMPLES
    @given(contents(kind))
    def check(content: Content) -> None:
        result = send(content, by_prodigy)
        same_text(content, result.rows)
        expected = final(result.before)
        assert result.decisions.keys() == expected.keys()
        for digest, some in expected.items():
            found = by_name(result.decisions[digest])
            for d in some:
                # A flagged skip is put aside: Prodigy has no other word for it.
                action = "flag" if d.action == "skip" and d.flagged else d.action
                back = found[d.annotator]
                assert plain(back) == plain(d, action=action)
                if d.time is not None:
                    assert back.time == int(d.time)
            what_stands = standing(d for d in result.before if d.text_digest == digest)
            after = standing(result.decisions[digest])
            if what_stands is not None and what_stands.annotation is not None:
                assert after is not None and after.annotation == what_stands.annotation
        seconds = [d for some in expected.values() for d in some if d.seconds is not None]
        assert result.lost("how long decisions took") == len(seconds)
        proposals_come_back(content, result, expected, source=MODEL)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_label_studio(kind: str) -> None:
    @EXAMPLES
    @given(contents(kind))
    def check(content: Content) -> None:
        result = send(content, by_label_studio)
        same_text(content, result.rows)
        expected = final(result.before)
        assert result.decisions.keys() == expected.keys()
        mixed = 0
        for digest, some in expected.items():
            found = by_name(result.decisions[digest])
            seen = list(dict.fromkeys(s for d in some if (s := d.saw_proposal) is not None))
            mixed += bool(seen) and (len(seen) > 1 or any(d.saw_proposal is None for d in some))
            for d in some:
                back = found[d.annotator]
                assert back.seconds == d.seconds
                if d.time is not None:
                    assert back.time == pytest.approx(d.time, abs=1e-5)
                told = {"flagged": False, "saw_proposal": back.saw_proposal}
                assert plain(back, flagged=False) == plain(d, **told)
                # Never blind if it was not; a look by one is a look by all.
                assert set((back.saw_proposal or "").split(", ")) >= set(filter(None, seen))
        assert result.lost("which of several annotators saw a proposal") == mixed
        everyone = [d for some in expected.values() for d in some]
        assert result.lost("who decided") == len(everyone)
        assert result.lost("rejected") == sum(d.action == "reject" for d in everyone)
        flags = [d for d in everyone if d.flagged and d.action != "flag"]
        assert result.lost("flags of answered texts") == len(flags)
        proposals_come_back(content, result, expected, source=MODEL)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_doccano(kind: str) -> None:
    @EXAMPLES
    @given(contents(kind))
    def check(content: Content) -> None:
        result = send(content, by_doccano)
        same_text(content, result.rows)
        doubted = 0
        for row in content.rows:
            digest = text_digest(row.text)
            mine = [d for d in result.before if d.text_digest == digest]
            stands = standing(mine)
            back = result.decisions.get(digest, [])
            if stands is None or stands.annotation is None:
                assert back == []
                continue
            places = {(s.start, s.end) for s in stands.annotation.spans}
            for r in stands.annotation.relations:
                places |= {(r.head_start, r.head_end), (r.tail_start, r.tail_end)}
            odd = [p for p in places if doubtful(row.text, *p)]
            odd = [(s, e) for s, e in odd if not countable(row.text[: e + 1])]
            if odd:
                doubted += 1
                assert back == []
                continue
            (decision,) = back
            assert (decision.action, decision.annotation) == (ACCEPT, stands.annotation)
            assert decision.saw_proposal == stands.last.saw_proposal
            assert decision.annotator == "import:import.jsonl"
        # Every decision that did not come back, and every field that did not, is in the report.
        assert (result.back.count("can't be placed") > 0) == (doubted > 0)
        expected = final(result.before)
        others = sum(len(some) - 1 for some in expected.values())
        assert (result.lost("answers of other annotators") > 0) == (others > 0)
        undecided = [r for r in content.rows if text_digest(r.text) not in expected]
        assert result.lost("without labels, stored without a decision") >= len(undecided)

    check()


def proposals_come_back(content: Content, result: Any, expected: Any, *, source: str) -> None:
    for proposal in content.proposals:
        if proposal.text_digest in expected:
            assert result.lost("proposals for texts that are decided") > 0
            continue
        (back,) = result.proposals[proposal.text_digest]
        assert back == proposal


@given(contents("ner"))
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_proposals_of_the_own_model_are_not_stored_again(content: Content) -> None:
    """They may be answers to a task that has changed since; those that are stored stay."""
    for way in (by_prodigy, by_label_studio):
        result = send(content, way, own=MODEL)
        undecided = {p.text_digest for p in content.proposals} - final(result.before).keys()
        assert not result.proposals
        assert result.lost("this project's own model") == len(undecided)


@pytest.mark.parametrize("way", [by_prodigy, by_label_studio, by_doccano])
def test_gold_texts_go_without_proposals(way: Any) -> None:
    from spacy_hitl.exchange.outgoing import Snapshot, gather_items
    from spacy_hitl.records import Proposal, Row

    digest = text_digest("Nebula")
    annotation = Annotation(spans=(SpanAnnotation(0, 6, "A"),))
    snapshot = Snapshot(
        rows={digest: [Row("r", "1", "Nebula", "gold")]},
        proposals={digest: [Proposal(digest, "task", MODEL, "ok", DIGEST, annotation)]},
    )
    items, lost = gather_items(snapshot, history_of(TASKS["ner"]), KEY, lanes=["gold"])
    assert lost.count("proposals for gold texts") == 1
    found, _, _ = way(items, TASKS["ner"])
    assert [item.suggestions for item in found] == [()]
    assert not any(item.answers for item in found)
