"""The search: what is compared, on what, what a candidate may see, and what is chosen."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from search_world import (
    CATS,
    CONFIG,
    CORPUS,
    KINDS,
    WARM_UP,
    make_row,
    make_rows,
    write_config,
    write_world,
)
from spacy.util import load_config

from spacy_hitl.dataset import corpus as corpora
from spacy_hitl.dataset.corpus import read_training_corpus, write_corpus
from spacy_hitl.distill.recipes import student_config
from spacy_hitl.distill.search import run as running
from spacy_hitl.distill.search.compare import Scored, compare, score_interval
from spacy_hitl.distill.search.inputs import (
    Copies,
    Hidden,
    read_config,
    read_student,
    trained_inputs,
)
from spacy_hitl.distill.search.mixes import Mix, make_mixes, repeat_of
from spacy_hitl.distill.search.results import MixScore, SearchResult
from spacy_hitl.distill.search.run import Runner, choose, drop_worse, judge, search
from spacy_hitl.distill.search.splits import FOLDS, Split, make_splits, reviewed_rows
from spacy_hitl.distill.search.table import search_table
from spacy_hitl.distill.search.training import Trial, train_quietly, try_out
from spacy_hitl.io import write_jsonl
from spacy_hitl.records import Counts, TaskRow

NER = KINDS["ner"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(**values: Any) -> None:
    """Set values of the config: section__name=value."""
    config = load_config(CONFIG, interpolate=False)
    for name, value in values.items():
        *sections, last = name.split("__")
        block = config
        for section in sections:
            block = block[section]
        block[last] = value
    write_config(config)


# Splits

some_rows = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["train", "dev"]), st.booleans()),
    min_size=12,
    max_size=40,
)


def rows_of(drawn: List[Tuple[int, str, bool]]) -> List[TaskRow]:
    """Texts some of which differ in case and punctuation only; always enough are decided."""
    texts: Dict[str, TaskRow] = {row.text: row for row in make_rows(NER)}
    for number, lane, decided in drawn:
        old = list(texts)[number % len(texts)]
        text = old.replace("post", ["POST", "post,", "Post !"][number % 3])
        lane = texts[old].lane if number % 2 else lane
        texts[text] = make_row(text, lane, decided=decided, header=NER)
    return list(texts.values())


@settings(max_examples=25)
@given(some_rows, st.integers(0, 5))
def test_a_pass_holds_every_reviewed_text_out_once(drawn: Any, seed: int) -> None:
    rows = rows_of(drawn)
    splits = make_splits(rows, seed=seed)
    for _ in range(2):
        found = [row.text for _ in range(FOLDS) for row in next(splits).held_out]
        assert sorted(found) == sorted(row.text for row in reviewed_rows(rows))


@settings(max_examples=25)
@given(some_rows)
def test_every_split_leaves_texts_of_both_lanes(drawn: Any) -> None:
    rows = rows_of(drawn)
    splits = make_splits(rows)
    for _ in range(2 * FOLDS):
        hidden = next(splits).hidden
        left = {row.lane for row in reviewed_rows(rows) if row.text not in hidden}
        assert left == {"train", "dev"}


def test_splits_are_the_same_for_the_same_seed_and_differ_by_pass() -> None:
    rows = make_rows(NER)

    def first(seed: int) -> List[Split]:
        splits = make_splits(rows, seed=seed)
        return [next(splits) for _ in range(2 * FOLDS)]

    assert first(3) == first(3)
    assert first(3)[0].held_out != first(4)[0].held_out
    assert first(3)[0].held_out != first(3)[FOLDS].held_out
    assert len({split.seed for split in first(3)}) == 2 * FOLDS


def test_what_nobody_looked_at_is_never_scored_on() -> None:
    rows = [replace(row, bulk=i < 4) for i, row in enumerate(make_rows(NER))]
    splits = make_splits(rows)
    held_out = {row.text for _ in range(FOLDS) for row in next(splits).held_out}
    assert held_out.isdisjoint(row.text for row in rows if row.bulk)


@pytest.mark.parametrize("sizes", [{"train": 7}, {"dev": 1}])
def test_too_few_reviewed_texts(sizes: Dict[str, int], fails: Any) -> None:
    with fails("H341", "8", "2"):
        next(make_splits(make_rows(NER, **sizes)))


# What a candidate may see


@settings(max_examples=25)
@given(some_rows, st.integers(0, FOLDS - 1))
def test_copies_hold_nothing_of_held_out_texts(drawn: Any, number: int) -> None:
    rows = rows_of(drawn)
    write_corpus(Path("corpus"), NER, rows)  # a file may have any name
    write_corpus(Path("other.jsonl"), KINDS["spancat"], [replace(r, decision=None) for r in rows])
    write_jsonl(Path("texts.json"), [{"text": row.text} for row in rows])
    config = read_config_of({"path": "corpus", "more": ["other.jsonl", "texts.json"]})
    splits = make_splits(rows)
    split = [next(splits) for _ in range(FOLDS)][number]
    target = Path("copies")
    target.mkdir(exist_ok=True)
    filled = Copies(target, hidden=split.hidden).fill(config)
    names = [filled["corpora"]["path"], *filled["corpora"]["more"]]
    held_out = {normal(row.text) for row in split.held_out}
    wanted = sorted(row.text for row in rows if row.text not in split.hidden)
    assert len(wanted) >= len(rows) / 4
    for name in names:
        found = [v["text"] for v in srsly.read_jsonl(name) if "text" in v]
        assert held_out.isdisjoint(map(normal, found))
        assert sorted(found) == wanted


def normal(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def read_config_of(block: Dict[str, Any]) -> Any:
    from confection import Config

    return Config({"corpora": block})


def test_near_duplicates_are_hidden_too() -> None:
    text = "the K9 broke on the way to work this morning and the shop would not help me at all"
    hidden = Hidden([text])
    assert text in hidden and text.upper() + "!" in hidden
    assert text.replace("at all", "") in hidden
    assert "the K9 is great" not in hidden and None not in hidden


def test_files_that_hold_no_texts_stay_where_they_are() -> None:
    write_jsonl(Path("catalog.jsonl"), [{"id": "k9", "name": "K9"}])
    Path("en").mkdir()
    Path("weights.bin").write_bytes(b"\xff\x00")
    config = read_config_of({"a": "catalog.jsonl", "lang": "en", "b": "weights.bin", "c": "x\ny"})
    filled = Copies(Path(), hidden=Hidden(["the K9 broke"])).fill(config)
    assert filled == config


def test_no_training_reads_a_held_out_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = write_world(warm_up=True)
    edit(training__max_steps=2, training__eval_frequency=2)
    twin = make_row(rows[0].text.upper(), "train", decided=False, header=NER)
    write_corpus(CORPUS, NER, [*rows, twin])
    seen: List[Set[str]] = []
    held: List[Set[str]] = []
    read, trial = corpora.read_corpus, running.try_out

    def reading(path: Path) -> Any:
        header, found = read(path)
        if held:
            seen[-1].update(normal(row.text) for _, row in found)
        return header, found

    def trying(config: Any, header: Any, held_out: Any, **values: Any) -> Trial:
        seen.append(set())
        held.append({normal(row.text) for row in held_out})
        done = trial(config, header, held_out, **values)
        assert seen[-1] and seen[-1].isdisjoint(held[-1])
        held_texts.update(held.pop())
        return done

    held_texts: Set[str] = set()
    # Those that read most; five would take long.
    some = lambda student: make_mixes(student)[-2:]  # noqa: E731
    monkeypatch.setattr(running, "make_mixes", some)
    monkeypatch.setattr(corpora, "read_corpus", reading)
    monkeypatch.setattr(running, "try_out", trying)
    result = search(CONFIG, Path("out"), minutes=5, folds=2, max_passes=1)
    assert result.splits == 2 and normal(twin.text) in held_texts
    # Whatever is not held out was read by somebody.
    assert set.union(*seen) == {normal(row.text) for row in rows}


# Mixes


def readings() -> Dict[str, Any]:
    student = read_student(CONFIG)
    mixes = make_mixes(student)
    assert student.config == load_config(CONFIG, interpolate=False)  # it stays as it is
    return {mix.name: mix.config for mix in mixes}


def test_mixes_of_a_config_with_a_warm_up() -> None:
    write_world(warm_up=True, undecided=100)
    edit(training__optimizer__learn_rate=0.0002)
    found = readings()
    assert list(found) == ["human", "llm", "both", "weighted", "warm-up"]
    reading = {name: config["corpora"]["train"] for name, config in found.items()}
    assert reading["llm"]["decisions"] is False and reading["llm"]["proposals"] is True
    assert reading["both"]["proposals"] is True and "repeat" not in reading["both"]
    assert reading["weighted"]["repeat"] == 6  # 100 proposals, 16 decisions
    assert "proposals" not in reading["human"]
    for name in ("human", "llm", "both", "weighted"):
        assert found[name]["initialize"]["after_init"] is None
        # 2 epochs of 100 texts, 16 at a time
        assert found[name]["training"]["max_steps"] == 12 + 2 * 7
        assert found[name]["training"]["optimizer"]["learn_rate"] == 0.001
    assert found["warm-up"] == load_config(CONFIG, interpolate=False)


def test_mixes_of_a_config_that_learns_from_rationales() -> None:
    write_world("textcat", undecided=100)
    block = {
        "@callbacks": "spacy-hitl.distill_rationales.v1",
        "path": "corpus.jsonl",
        "task": "thing",
        "rationales": "corpus.jsonl",
        "rationale_task": "thing",
    }
    edit(initialize__after_init=block)
    found = readings()
    assert found["warm-up"]["initialize"]["after_init"] == block
    # its default is 14 epochs of 32 texts at a time
    assert found["both"]["training"]["max_steps"] == 12 + 14 * 4


def test_mixes_of_a_config_without_one() -> None:
    write_world()
    found = readings()
    assert found["human"] == load_config(CONFIG, interpolate=False)
    block = found["warm-up"]["initialize"]["after_init"]
    assert block["@callbacks"] == "spacy-hitl.distill.v1"
    assert block["path"] == "${paths.corpus}" and block["task"] == "thing"
    assert {c["training"]["max_steps"] for c in found.values()} == {12}


def test_a_config_that_is_none_of_the_mixes_is_compared_too() -> None:
    write_world(warm_up=True)
    edit(corpora__train__repeat=7, corpora__train__proposals=True)
    found = readings()
    assert list(found)[-1] == "as given"
    assert found["as given"] == load_config(CONFIG, interpolate=False)
    assert "repeat" not in found["both"] or found["both"]["corpora"]["train"]["repeat"] == 1


@pytest.mark.parametrize("undecided, times", [(16, 3), (160, 10), (1600, 20)])
def test_decisions_weigh_as_much_as_proposals(undecided: int, times: int) -> None:
    assert repeat_of(tuple(make_rows(NER, undecided=undecided))) == times


def test_nothing_to_compare(fails: Any) -> None:
    write_world(undecided=0)
    with fails("H342", "'thing'", CONFIG):
        search(CONFIG, Path("out"))


@pytest.mark.parametrize(
    "values, part",
    [
        ({"corpora__train": {"@readers": "spacy.Corpus.v1", "path": "x"}}, "[corpora.train]"),
        ({"corpora__dev": {"@readers": "spacy.Corpus.v1", "path": "x"}}, "[corpora.dev]"),
        ({"training__train_corpus": "corpora.other"}, "[corpora.other]"),
        ({"initialize__after_init": {"@callbacks": "mine.v1"}}, "mine.v1"),
        ({"initialize__init_tok2vec": "old.spacy"}, "old.spacy"),
        ({"corpora__train": {"@readers": "spacy-hitl.TaskCorpus.v1"}}, "no path"),
    ],
)
def test_configs_that_read_who_knows_what(values: Any, part: str, fails: Any) -> None:
    write_world()
    Path("old.spacy").write_bytes(b"")
    edit(**values)
    with fails("H340", part, CONFIG):
        search(CONFIG, Path("out"))


def test_trained_pipelines_in_a_config_are_found() -> None:
    write_world()
    Path("base").mkdir()
    Path("base/meta.json").write_text("{}")
    edit(initialize__after_init={**WARM_UP, "teacher": "./base"})
    assert trained_inputs(read_config(CONFIG)) == ["./base"]


# Comparing

figures = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1)


def scored(values: Any, *, splits: int = 3) -> Scored:
    return Scored({(i % splits, f"t{i}"): {"A": Counts(*v)} for i, v in enumerate(values)})


@given(figures)
def test_a_student_is_as_good_as_itself(values: Any) -> None:
    one = scored(values)
    gain = compare(one, one, average="micro")
    assert (gain.difference.low, gain.difference.high) == (0, 0)
    assert gain.error == 0 and gain.better == 0.5


@given(figures, figures)
def test_comparing_the_other_way_round_turns_the_sign(one: Any, other: Any) -> None:
    here, there = scored(one), scored(other)
    gain = compare(here, there, average="micro").difference
    back = compare(there, here, average="micro").difference
    assert gain.value == pytest.approx(-back.value)
    assert gain.low == pytest.approx(-back.high) and gain.low - 1e-9 <= gain.high


def test_splits_are_resampled_and_not_texts_alone() -> None:
    """One student is better on all texts of one split, and only there: luck of a training."""
    good, bad = Counts(tp=1), Counts(fn=1)
    one = Scored({(s, f"t{s}-{i}"): {"A": good} for s in range(4) for i in range(50)})
    other = Scored({u: {"A": bad if u[0] == 0 else good} for u in one.units})
    gain = compare(one, other, average="micro")
    assert gain.difference.low <= 0 and gain.difference.value > 0.1


def runner(name: str, right: Any, *, texts: int = 40) -> Runner:
    """A mix that was tried: right(i) says whether it is right on text i."""
    made = Runner(Mix(name, name, load_config_of_nothing()))
    made.scored = Scored(
        {(i % 4, f"t{i}"): {"A": Counts(tp=1) if right(i) else Counts(fn=1)} for i in range(texts)}
    )
    made.seconds = [1.0] * 4
    return made


def load_config_of_nothing() -> Any:
    from confection import Config

    return Config()


def test_the_simplest_within_the_noise_is_chosen() -> None:
    near = runner("human", lambda i: i not in (5, 8, 22))
    best = runner("both", lambda i: i not in (5, 10))
    _, first, chosen, reason = judge([near, best], average="micro")
    assert (first, chosen) == ("both", "human")
    assert "within the noise" in reason and "0." in reason


def test_a_clear_winner_is_chosen_whatever_it_needs() -> None:
    worse = runner("human", lambda i: i // 4 % 2)
    best = runner("warm-up", lambda i: i // 4 % 10)
    mixes, first, chosen, _ = judge([worse, best], average="micro")
    assert first == chosen == "warm-up"
    assert mixes[0].better is not None and mixes[0].better < 0.01
    assert mixes[0].gain is not None and mixes[0].gain[2] < 0


def test_of_equal_mixes_the_simplest() -> None:
    mixes = [runner(name, lambda i: i % 3) for name in ("human", "llm", "both")]
    _, first, chosen, _ = judge(mixes, average="micro")
    assert first == chosen == "human"


def test_what_was_dropped_is_not_chosen() -> None:
    gain = (-0.001, -0.01, 0.01)
    dropped = MixScore("human", "", score=0.8, gain=gain, error=0.01, dropped="failed")
    assert choose([dropped, MixScore("both", "", score=0.801)], "both")[0] == "both"


def test_surely_worse_mixes_are_dropped_and_say_why() -> None:
    worse, near = runner("llm", lambda i: i // 4 % 2), runner("both", lambda i: i // 4 % 9)
    best = runner("human", lambda i: i // 4 % 10)
    drop_worse([best, worse, near], average="micro")
    assert worse.dropped is not None and "worse than human after 4 splits" in worse.dropped
    assert near.dropped is None and best.dropped is None


# The whole search


def fake(monkeypatch: pytest.MonkeyPatch, right: Any, *, seconds: float = 0.0) -> List[Any]:
    """Trainings that take no time: `right(config, text)` says what they get right."""
    calls: List[Any] = []
    clock = [0.0]

    def trying(config: Any, header: Any, held_out: Any, *, seed: int, gpu: int) -> Trial:
        calls.append((seed, config))
        clock[0] += seconds
        counts = tuple(
            {"A": Counts(tp=1) if right(config, row.text) else Counts(fn=1)} for row in held_out
        )
        return Trial(counts, seconds)

    monkeypatch.setattr(running, "try_out", trying)
    monkeypatch.setattr(running.time, "monotonic", lambda: clock[0])
    return calls


def is_reading(config: Any, *, decisions: bool, proposals: bool) -> bool:
    block = config["corpora"]["train"]
    found = (block.get("decisions", True), block.get("proposals", False))
    return found == (decisions, proposals)


def test_all_candidates_run_on_the_same_splits_and_seeds(monkeypatch: Any) -> None:
    write_world(warm_up=True)
    calls = fake(monkeypatch, lambda config, text: True, seconds=1)
    lines: List[str] = []
    result = search(CONFIG, Path("out"), minutes=60, seed=5, report=lines.append)
    assert result.splits == FOLDS * running.MAX_PASSES
    assert [seed for seed, _ in calls] == [5 + i for i in range(result.splits) for _ in range(5)]
    assert len(lines) == len(calls) and "human 1.000 (1 s)" in lines[0]
    assert result.chosen == "human" and result.scored == result.reviewed == 22


def test_the_budget_ends_the_search(monkeypatch: Any) -> None:
    write_world(warm_up=True)
    fake(monkeypatch, lambda config, text: True, seconds=12)
    result = search(CONFIG, Path("out"), minutes=2.5)
    assert result.splits == 2 and not result.whole  # a split takes a minute
    lines: List[str] = []
    result = search(CONFIG, Path("out"), minutes=0.1, report=lines.append)
    assert "about 1.0 minutes, 0.1 were given" in lines[1] and len(lines) == 6
    assert result.splits == 1 and {m.splits for m in result.mixes} == {1}
    assert 0 < result.scored < result.reviewed
    assert search(CONFIG, Path("out"), minutes=4).whole


def test_what_is_surely_worse_is_tried_no_further(monkeypatch: Any) -> None:
    write_world(warm_up=True, train=80, dev=20)

    def right(config: Any, text: str) -> bool:
        return not is_reading(config, decisions=False, proposals=True) or len(text) % 2 == 0

    calls = fake(monkeypatch, right)
    result = search(CONFIG, Path("out"), minutes=1, max_passes=2)
    splits = {mix.name: mix.splits for mix in result.mixes}
    assert splits == {"human": 8, "llm": 4, "both": 8, "weighted": 8, "warm-up": 8}
    assert len(calls) == 4 * 8 + 4 and "llm was dropped: worse than human" in search_table(result)


def test_the_record_and_the_config_say_the_same(monkeypatch: Any) -> None:
    write_world(warm_up=True, train=80, dev=20)
    fake(monkeypatch, lambda c, text: is_reading(c, decisions=True, proposals=True))
    result = search(CONFIG, Path("out"), minutes=1, max_passes=1)
    assert result.chosen == "both"
    stored = SearchResult.from_dict(json.loads(Path("out/search.json").read_text()))
    assert stored == result
    text = Path("out/chosen.cfg").read_text()
    assert text.startswith("# Made by") and result.reason in text and "0.000" in text
    chosen = load_config("out/chosen.cfg", interpolate=False)
    assert chosen["corpora"]["train"]["proposals"] is True
    assert chosen["corpora"]["train"]["path"] == "${paths.corpus}"
    assert chosen["initialize"]["after_init"] is None
    table = search_table(result)
    assert "both *" in table and "Chosen: both" in table and "22 of 22" not in table


def test_a_mix_that_fails_is_named_and_the_others_go_on(monkeypatch: Any) -> None:
    write_world(warm_up=True)
    edit(initialize__after_init={**WARM_UP, "epochs": 1, "dropout": 7.5, "learn_rate": -1.0})
    from spacy_hitl.errors import InputError

    real = running.try_out

    def trying(config: Any, *args: Any, **values: Any) -> Trial:
        if config["initialize"]["after_init"] is not None:
            raise InputError("[H300] out of order")
        return real(config, *args, **values)

    monkeypatch.setattr(running, "try_out", trying)
    result = search(CONFIG, Path("out"), minutes=0.001)
    failed = [mix for mix in result.mixes if mix.dropped]
    assert [mix.name for mix in failed] == ["warm-up"] and failed[0].score is None
    assert "out of order" in search_table(result) and result.chosen != "warm-up"


def test_when_no_mix_can_be_trained(fails: Any) -> None:
    write_world(config=CATS.replace("ngram_size = 1", "ngram_size = 0"), kind="ner")
    edit(components__thing__factory="nothing")
    with fails("H344", CONFIG, "human: [H343]", "nothing"):
        search(CONFIG, Path("out"))


def test_bad_configs_are_explained(fails: Any) -> None:
    with fails("H001", "no.cfg"):
        search(Path("no.cfg"), Path("out"))
    Path("bad.cfg").write_text("[nlp")
    with fails("H304", "bad.cfg"):
        search(Path("bad.cfg"), Path("out"))
    Path("bad.cfg").write_text("[corpora]\npath = ${paths.none}")
    with fails("H304", "bad.cfg", "paths.none"):
        search(Path("bad.cfg"), Path("out"))


def test_a_trial_gives_the_same_twice_and_depends_on_its_seed() -> None:
    rows = write_world()
    split, student = next(make_splits(rows)), read_student(CONFIG)

    def weights(seed: int) -> Any:
        nlp = train_quietly(student.config.interpolate(), seed=seed)
        return nlp.get_pipe("thing").model.to_bytes()

    one = weights(0)
    assert weights(0) == one and weights(1) != one
    config = student.config.interpolate()
    first, again = (
        try_out(config, student.header, split.held_out, seed=0).counts for _ in range(2)
    )
    assert first == again


# Students of every kind


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def test_students_of_every_kind_can_be_tried(kind: str) -> None:
    config = student_config(kind, task="thing", recipe="small")
    text = config.to_str() + '\n[paths]\ncorpus = "corpus.jsonl"\n'
    rows = write_world(kind, config=text, warm_up=kind not in ("spancat", "entity_linker"))
    edit(training__max_steps=4, training__eval_frequency=4)
    if kind == "entity_linker":
        write_jsonl(Path("catalog.jsonl"), [{"id": "k9", "name": "Kay Nine", "aliases": ["K9"]}])
        loader = {
            "@misc": "spacy-hitl.CatalogKB.v1",
            "catalog": "catalog.jsonl",
            "path": "corpus.jsonl",
            "task": "thing",
        }
        edit(initialize__components={"thing": {"kb_loader": loader}})
    student = read_student(CONFIG)
    split = next(make_splits(rows))
    target = Path("copies")
    target.mkdir()
    mix = next(mix for mix in make_mixes(student) if mix.name == "both")
    filled = Copies(target, hidden=split.hidden).fill(mix.config)
    trial = try_out(filled, student.header, split.held_out, seed=0)
    assert len(trial.counts) == len(split.held_out) and trial.seconds > 0
    wanted = sum((c.tp + c.fn for counts in trial.counts for c in counts.values()), 0)
    assert wanted == sum(
        len(row.decision.spans) * (kind != "hitl_relations")
        + len(row.decision.cats)
        + len(row.decision.relations)
        for row in split.held_out
        if row.decision is not None
    )
    header, kept = read_training_corpus(Path(filled["corpora"]["train"]["path"]), "thing")
    assert header == student.header and len(kept) == len(rows) - len(split.held_out)
    assert (
        score_interval(
            Scored({(0, r.text): c for r, c in zip(split.held_out, trial.counts, strict=True)}),
            average="micro",
        ).value
        <= 1
    )
