"""What a model's answers and people's decisions took, and where evaluation shows it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.reviews import DecisionHead
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.cost import add_up, human_seconds, llm_use, share_time
from spacy_hitl.evaluate.cost_table import cost_table
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.io import read_jsonl, text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.records import Decision, Message, Proposal, Request, Response, Row
from spacy_hitl.scoring.clock import ClockTally
from spacy_hitl.scoring.results import Speed, TaskMetrics
from spacy_hitl.settings import LaneSettings, Price, Settings
from spacy_hitl.tasks.base import set_proposal

CONFIG = "configs/prototype.cfg"
STUDENT = "training/product/model-best"
PRICES = {"m": Price(input=1.0, output=10.0)}


def files(task: str) -> Any:
    return {"gold": Path(f"corpus/gold/{task}.jsonl"), "train": Path(f"corpus/{task}.jsonl")}


def answer(prompt: Optional[int] = 100, out: Optional[int] = 20, **values: Any) -> Response:
    return Response("m", text="{}", prompt_tokens=prompt, completion_tokens=out, **values)


# What answers cost


def test_answers_add_up_per_1000_texts() -> None:
    use = add_up([answer(seconds=2.0), answer(300, 60, seconds=4.0)], texts=4, prices=PRICES)
    assert use is not None and use.answers == 2
    assert use.requests == 500, "two texts share each answer"
    assert (use.prompt_tokens, use.completion_tokens) == (100_000, 20_000)
    assert use.cost == pytest.approx((100_000 * 1 + 20_000 * 10) / 1e6)
    assert use.seconds == 1500


def test_what_is_not_known_is_not_made_up() -> None:
    assert add_up([], texts=0, prices=PRICES) is None
    use = add_up([answer(None, None)], texts=1, prices=PRICES)
    assert use is not None and use.requests == 1000
    assert (use.prompt_tokens, use.completion_tokens, use.cost, use.seconds) == (None,) * 4
    use = add_up([answer()], texts=1, prices={})
    assert use is not None and (use.prompt_tokens, use.cost) == (100_000, None)
    # Of some it is known: the others are taken to be alike.
    use = add_up([answer(seconds=1.0), answer(None, None)], texts=2, prices=PRICES)
    assert use is not None and (use.prompt_tokens, use.seconds) == (100_000, 1000)


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 900)), min_size=1))
def test_money_is_tokens_times_price(tokens: Any) -> None:
    use = add_up([answer(*t) for t in tokens], texts=len(tokens), prices=PRICES)
    assert use is not None and use.prompt_tokens is not None and use.completion_tokens is not None
    assert use.requests == 1000
    assert use.cost == pytest.approx((use.prompt_tokens + 10 * use.completion_tokens) / 1e6)


def test_the_answers_of_a_system_are_those_its_documents_rest_on(tmp_path: Path) -> None:
    settings = Settings(responses=tmp_path / "responses.db", prices=PRICES)
    nlp = spacy.blank("en")

    def doc(text: str, key: Optional[str], status: str = "ok") -> Doc:
        made = nlp(text)
        proposal = Proposal(text_digest(text), "t", "m", status, "digest", response_key=key)
        set_proposal(made, "t", proposal)
        return made

    docs = [doc("a", "k1"), doc("b", "k2"), doc("b!", "k2"), doc("c", None, "failed")]
    docs.append(doc("d", "not stored"))
    assert llm_use(docs, "t", settings) is None
    assert not settings.responses.exists()
    with ResponseStore(settings.responses) as store:
        for key, tokens in (("k1", 100), ("k2", 400), ("of another prompt", 9999)):
            request = Request(key, "t", 1, (Message("user", key),), {})
            store.put(key, request, answer(tokens, 0, key=key))
    use = llm_use(docs, "t", settings)
    assert use is not None and use.answers == 2
    assert use.requests == pytest.approx(2000 / 3)
    assert use.prompt_tokens == pytest.approx(250 * 2000 / 3)
    assert llm_use(docs, "another task", settings) is None
    assert llm_use(docs[3:4], "t", settings) is None


# What people's decisions took


def head(task: str, digest: str = "train", **values: Any) -> DecisionHead:
    who = {"annotator": "ann", "action": "accept", "origin": "person", "task_digest": "x"}
    what = {"flagged": False, "whole": True, "digest": digest, "task": task}
    return DecisionHead(**{**dict.fromkeys(DecisionHead._fields), **who, **what, **values})


def test_an_answer_is_shared_by_its_tasks_and_gold_is_apart() -> None:
    heads = [
        head("a", uid="1", seconds=30.0, time=1000.0),
        head("b", uid="1", seconds=30.0, time=1000.0),
        head("a", "gold", uid="2", seconds=10.0, time=1015.0),  # 15 s after the one before
        head("b", uid="3", seconds=8.0, time=9000.0),  # after a break
        head("a", uid="4", seconds=5.0, time=1001.0, annotator="bob"),
    ]
    assert share_time(heads, "a", gold={"gold"}) == (20.0, 15.0)
    assert share_time(heads, "b", gold=set()) == (23.0, None)
    assert share_time(heads, "c", gold=set()) == (None, None)


def test_one_answer_on_many_texts_takes_its_time_once() -> None:
    heads = [head("a", f"text {i}", uid="1", seconds=9.0) for i in range(50)]
    assert share_time(heads, "a", gold=set()) == (9.0, None)


def test_what_took_no_time_that_is_known_is_not_zero() -> None:
    unknown = [head("a", origin="import", seconds=9.0), head("a", mode="bulk", seconds=9.0)]
    assert share_time([*unknown, head("a")], "a", gold=set()) == (None, None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob"]),
            st.sampled_from(["a", "b", "ab"]),
            st.booleans(),
            st.floats(0, 200),
            st.floats(0, 500),
        )
    )
)
def test_the_time_of_all_tasks_is_the_time_of_the_clock(answers: Any) -> None:
    heads, now = [], 0.0
    for i, (who, tasks, gold, seconds, pause) in enumerate(answers):
        now += pause
        text = "gold" if gold else "train"
        known = {"annotator": who, "uid": str(i), "seconds": seconds, "time": now}
        heads.extend(head(task, text, **known) for task in tasks)
    shares = [share_time(heads, task, gold={"gold"}) for task in "ab"]
    found = sum(part or 0.0 for share in shares for part in share)
    assert found == pytest.approx(ClockTally.of(heads)._all.active)


def decide(settings: Settings, *, origin: str) -> None:
    with Dataset(settings.dataset) as dataset:
        rows = [Row("s", lane, f"text of {lane}", lane=lane) for lane in ("gold", "train")]
        dataset.add_rows(rows, LaneSettings())
        decisions: List[Decision] = [
            Decision(
                *(text_digest(row.text), "a", "accept", "ann", origin, "digest"),
                seconds=10.0 * i,
                uid=f"{origin} {i}",
            )
            for i, row in enumerate(rows, start=1)
        ]
        dataset.add_decisions(decisions)


def test_the_dataset_is_read_and_not_changed(tmp_path: Path) -> None:
    settings = Settings(dataset=tmp_path / "hitl.db")
    assert human_seconds("a", settings) == (None, None)
    assert not settings.dataset.exists()
    with Dataset(settings.dataset):
        pass
    assert human_seconds("a", settings) == (None, None)
    decide(settings, origin="import")
    assert human_seconds("a", settings) == (None, None)
    decide(settings, origin="person")
    before = settings.dataset.read_bytes()
    assert human_seconds("a", settings) == (20.0, 10.0)
    assert human_seconds("b", settings) == (None, None)
    assert settings.dataset.read_bytes() == before


# All together


@pytest.fixture
def student(exported: Any) -> str:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", name="product")
    ruler.add_patterns([{"label": "PRODUCT", "pattern": "K10"}])
    Path(STUDENT).mkdir(parents=True)
    nlp.to_disk(STUDENT)
    return STUDENT


def test_evaluation_knows_speed_and_cost(exported: Any, student: str, timed: None) -> None:
    baseline, prompted, small = evaluate([CONFIG, student], **files("product")).systems
    assert (baseline.speed, baseline.llm) == (None, None)
    assert prompted.speed is None and prompted.llm is not None and small.llm is None
    # The recording has neither tokens nor times.
    assert (prompted.llm.answers, prompted.llm.requests) == (8, 1000)
    assert (prompted.llm.prompt_tokens, prompted.llm.cost, prompted.llm.seconds) == (None,) * 3
    assert small.speed is not None and small.words_per_s == small.speed.words_per_s > 0
    assert small.speed.texts == 8 and small.speed.peak_megabytes


def test_parts_are_timed_as_one_pipeline(exported: Any, student: str, timed: None) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk("training/sentences")
    (_, both) = evaluate([f"{student}+training/sentences"], **files("product")).systems
    assert both.speed is not None and both.speed.words_per_s > 0


def test_speed_can_be_left_out(exported: Any, student: str) -> None:
    small = evaluate([student], speed=False, **files("product")).systems[1]
    assert (small.speed, small.words_per_s) == (None, None)


def test_the_time_of_people_is_in_the_metrics(exported: Any, student: str) -> None:
    with Dataset(Path("datasets/hitl.db")) as dataset:
        digests = [next(iter(dataset.texts(lanes=(lane,))))[0] for lane in ("train", "gold")]
        dataset.add_decisions(
            [
                Decision(d, "product", "skip", "ann", "person", "x", seconds=s, uid=d)
                for d, s in zip(digests, (90.0, 30.0), strict=True)
            ]
        )
    metrics = evaluate([CONFIG], **files("product"))
    assert (metrics.human_seconds, metrics.human_gold_seconds) == (90.0, 30.0)
    assert "1.5 minutes on texts to learn from and 0.5 minutes on gold" in cost_table(metrics)
    alone = evaluate([student], **files("product"))
    assert alone.human_seconds is None, "a folder does not say where the dataset is"
    alone = evaluate([student], config=Path(CONFIG), **files("product"))
    assert alone.human_seconds == 90.0


def test_a_leak_stops_the_run_before_anything_is_asked(
    exported: Any, student: str, fails: Any
) -> None:
    gold, train = files("product").values()
    leaked = next(v for _, v in list(read_jsonl(gold, what=""))[1:])
    with train.open("a") as file_:
        line = f'{{"text": "{leaked["text"]} again", "text_digest": "d", "lane": "train"}}\n'
        file_.write(line)
    Path("datasets/responses.db").unlink()
    with fails("H422", "(1)", leaked["text_digest"][:8], "corpus/product.jsonl"):
        evaluate([CONFIG, student], gold=gold, train=train)
    assert not Path("datasets/responses.db").exists()
    assert evaluate([student], gold=gold, train=train, near_duplicates=None).systems


def test_the_command_shows_both_tables(exported: Any, student: str, timed: None) -> None:
    args = ["evaluate", CONFIG, student, "--output", "m.json"]
    args += [f"--{name}={path}" for name, path in files("product").items()]
    done = CliRunner().invoke(hitl_cli, args, terminal_width=200)
    assert done.exit_code == 0, done.output
    assert re.search(r"words/s +p50 ms +p99 ms +start s +peak MB +requests", done.output)
    assert "one core, one thread, warm, median of 5 runs over 8 texts" in done.output
    assert "per 1,000 texts, from 8 stored answers on gold texts" in done.output
    assert "people decided" not in done.output, "imported decisions took nobody's time here"
    done = CliRunner().invoke(hitl_cli, [*args, "--no-speed"], terminal_width=200)
    assert done.exit_code == 0 and "one thread" not in done.output


@pytest.mark.parametrize("share, told", [(None, False), (0.95, False), (0.5, True)])
def test_figures_of_a_busy_machine_say_so(
    exported: Any, share: Optional[float], told: bool
) -> None:
    metrics = evaluate([CONFIG], **files("product"))
    speed = Speed(1000.0, runs=(900.0, 1000.0, 1100.0), p50_ms=1.25, core_share=share)
    text = cost_table(replace(metrics, systems=(replace(metrics.systems[1], speed=speed),)))
    assert ("had 50% of its core" in text) == told
    assert "median of 3 runs over an unknown number of texts" in text
    assert re.search(r" 1,000 +1\.2 +- +- +- +1,000 +- ", text)


def test_without_figures_there_is_no_table(exported: Any, student: str) -> None:
    metrics = evaluate([student], speed=False, **files("product"))
    assert cost_table(metrics) == ""
    assert isinstance(metrics, TaskMetrics)
