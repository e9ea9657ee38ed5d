"""The report: what it says, that it says it the same way again, and that texts stay data."""

import html
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List, Tuple

import matplotlib as mpl
import numpy as np
import pytest
import report_world as world
import spacy
from hypothesis import given
from hypothesis import strategies as st
from report_world import HEADERS, HOSTILE, LABEL, write_world
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_gold_corpus
from spacy_hitl.evaluate.report import curve_plots, examples, figures, scored, tables, words
from spacy_hitl.evaluate.report.page import render
from spacy_hitl.evaluate.report.run import write_report
from spacy_hitl.evaluate.report.sources import Evidence, TaskEvidence, read_evidence
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.io import folder_digest, write_json
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader
from spacy_hitl.scoring.error_types import KINDS
from spacy_hitl.scoring.outputs import read_outputs
from spacy_hitl.scoring.results import GoldOutput, Utility
from spacy_hitl.settings import PromoteSettings

OUTPUT = Path("out/report.html")
VOID = {"meta", "link", "br", "img", "path", "use"}


class Page(HTMLParser):
    """What a page holds, read strictly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: List[Tuple[str, Dict[str, Any]]] = []
        self.words: List[str] = []
        self.stack: List[str] = []
        self.feed(text)
        self.close()
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> List[Dict[str, Any]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A report of every kind of task, with everything in it."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_world()
        evidence = write_report(world.CONFIG, OUTPUT)
        return evidence, OUTPUT.read_text(encoding="utf8"), folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_task(task: str = "product", **more: Any) -> TaskEvidence:
    metrics, outputs = world.metrics_of(task, **more)
    return TaskEvidence(metrics, tuple(outputs))


# What is in it


def test_every_task_has_its_figures(whole: Any) -> None:
    evidence, text, _ = whole
    page = Page(text)
    assert [task.name for task in evidence.tasks] == list(HEADERS)
    for task in evidence.tasks:
        for s in task.metrics.systems:
            assert figures.interval(s.low, s.high) in page.text
            for label in s.labels if s is task.subject else ():
                assert tables._figure(label.f, label.f_bounds) in page.text
        for sentence in words.summary(task, evidence.promote):
            assert " ".join(sentence.split()) in page.text


def test_every_plot_is_there(whole: Any) -> None:
    _, text, _ = whole
    page = Page(text)
    ids = {attrs.get("id") for attrs in page.named("title")}
    common = ("systems", "errors", "curve", "speed")
    wanted = {f"{task}-{name}-title" for task in HEADERS for name in common}
    wanted |= {
        f"{t}-{n}-title" for t in HEADERS if t != "made" for n in ("threshold", "calibration")
    }
    wanted |= {f"{task}-labels-title" for task in ("product", "opinions", "mood")}
    assert wanted | {"time-title"} <= ids
    assert "30 answers, median 5.0 seconds" in page.text


def test_every_kind_of_error_has_examples(whole: Any) -> None:
    evidence, text, _ = whole
    page = Page(text)
    for task in evidence.tasks:
        classes = examples.collect(task.metrics.header, task.outputs, task.subject.name)
        counts = {
            kind: sum(e.count for e in task.subject.errors if e.kind == kind) for kind in KINDS
        }
        assert {c.kind: c.total for c in classes} == {k: n for k, n in counts.items() if n}
        for c in classes:
            assert 1 <= len(c.examples) <= examples.PER_KIND
            assert f"{words.ERROR_TITLES[c.kind]}: {c.total}" in page.text


def test_headings_are_in_order_and_ids_are_unique(whole: Any) -> None:
    page = Page(whole[1])
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in ("href", "xlink:href", "aria-labelledby"):
            for target in (attrs.get(name) or "").split() if name in attrs else ():
                assert target == "data:," or target.removeprefix("#") in ids, target


def test_tables_have_captions_and_scopes(whole: Any) -> None:
    page = Page(whole[1])
    assert len(page.named("table")) == len(page.named("caption")) > 20
    assert {attrs.get("scope") for attrs in page.named("th")} == {"col", "row"}
    assert all(attrs.get("role") == "img" for attrs in page.named("svg"))


def test_what_must_be_known_comes_first() -> None:
    task = one_task(origins=(("import", 40),), blind=False)
    text = Page(render(Evidence((task,), PromoteSettings()))).text
    first = text.index("Summary")
    assert text.index("imported from a file: no person made them") < first
    assert text.index("biased towards the model") < first
    mixed = one_task(origins=(("import", 10), ("person", 30)))
    assert words.warnings_of(Evidence((mixed,), PromoteSettings()))[0].startswith(
        "Some of the gold"
    )
    assert not words.warnings_of(Evidence((one_task(),), PromoteSettings()))


def test_figures_of_an_older_student_say_so(here: Path) -> None:
    """The folder holds another model than the one that was measured."""
    world.write_config(["product"])
    trained = Path("training/product/model-best")
    trained.mkdir(parents=True)
    (trained / "meta.json").write_text("{}")

    def said(digest: Any) -> List[str]:
        metrics = world.write_task("product")
        systems = [replace(s, digest=digest) if s.role == "student" else s for s in metrics.systems]
        write_json(Path("metrics/product.json"), replace(metrics, systems=tuple(systems)).to_dict())
        return words.warnings_of(read_evidence(world.CONFIG))

    assert said(folder_digest(trained)) == said(None) == []
    (warning,) = said("0" * 64)
    assert warning.startswith(f"The figures of product are of an older student: '{trained}'")
    trained.rename("training/product/away")  # nothing is there to compare them with
    assert said("0" * 64) == []


# In words


def test_the_summary_says_how_far_and_whether_that_is_sure() -> None:
    task = one_task()
    m, student = task.metrics, task.subject
    assert student is not None and student.role == "student"
    c = m.compared(student.name, world.PROMPTED)
    assert c is not None and c.high < 0
    said = " ".join(words.summary(task, PromoteSettings(floors={"product": 0.9}, min_gold=50)))
    assert f"{-c.value:.3f} below the prompted original" in said
    assert f"worse with a probability of {figures.probability(1 - c.better)}" in said
    assert "0.90: not reached" in said
    assert "asks for 50 gold texts or more; there are 40" in said
    assert "840,000 tokens, 1.25 in money and 15 minutes of waiting" in said
    close = replace(c, value=0.01, low=-0.02, high=0.04, better=0.7)
    m = replace(m, comparisons=(close,))
    assert "can't tell which is better" in words.compared(m, student, m.systems[1])


@pytest.mark.parametrize(("margin", "said"), [(0.01, "not kept"), (0.9, ": kept")])
def test_the_margin(margin: float, said: str) -> None:
    facts = words.summary(one_task(), PromoteSettings(floors={"product": 0}, margin=margin))
    assert any("margin against the prompted original" in f and said in f for f in facts)


def test_labels_below_their_floor_are_named() -> None:
    rules = PromoteSettings(label_floors={"product": {"MAKER": 0.99, LABEL: 0.1}})
    facts = words.summary(one_task(), rules)
    assert [f for f in facts if "label_floors" in f] == [
        "Below the floor of their label in [hitl.promote.label_floors]: MAKER."
    ]
    assert any("No floor is set" in f for f in facts)


def test_the_better_one_for_the_business_is_named() -> None:
    task = one_task()
    base, prompted, student = task.metrics.systems
    systems = (
        base,
        replace(prompted, utility=Utility(10, 5, 15)),
        replace(student, utility=Utility(30, 25, 35)),
    )
    task = replace(task, metrics=replace(task.metrics, systems=systems))
    said = " ".join(words.summary(task, PromoteSettings()))
    assert "the student is worth most: 30.00" in said
    assert "although the prompted is more accurate" in said


def test_only_a_baseline() -> None:
    task = one_task()
    task = replace(task, metrics=replace(task.metrics, systems=task.metrics.systems[:1]))
    assert (
        "Only the baseline was measured" in Page(render(Evidence((task,), PromoteSettings()))).text
    )


# The same again


def test_the_same_evidence_gives_the_same_bytes(whole: Any, tmp_path: Path) -> None:
    """In another process, with another hash seed and another style of matplotlib."""
    _, text, folder = whole
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\naxes.grid: True\n")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from spacy_hitl.evaluate.report.run import write_report\n"
        f"write_report(Path({str(world.CONFIG)!r}), Path({str(tmp_path / 'again.html')!r}))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, check=True)
    assert (tmp_path / "again.html").read_text(encoding="utf8") == text
    assert str(folder) not in text


def test_the_style_of_matplotlib_stays_as_it_is() -> None:
    before = dict(mpl.rcParams)
    render(Evidence((one_task("made"),), PromoteSettings()))
    assert dict(mpl.rcParams) == before


# Texts are data


def test_no_text_becomes_markup(whole: Any) -> None:
    text = whole[1]
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "i", "iframe", "object", "form"}
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert HOSTILE.split(" ")[0] in page.text and LABEL in page.text
    policy = [m["content"] for m in page.named("meta") if "http-equiv" in m]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_it_needs_nothing_from_elsewhere(whole: Any) -> None:
    text = whole[1]
    outside = set(re.findall(r"\b\w+://[^\s\"'<)]+", text))
    assert outside == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for _, attrs in Page(text).tags:
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith(("#", "data:"))


def test_a_task_may_be_called_anything() -> None:
    task = one_task()
    header = replace(task.metrics.header, task='a b"<c>')
    other = replace(task.metrics.header, task="a-b--c-")
    both = [
        replace(task, metrics=replace(task.metrics, header=h, systems=task.metrics.systems[:1]))
        for h in (header, other)
    ]
    page = Page(render(Evidence(tuple(both), PromoteSettings())))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert 'a b"<c>' in page.text


texts = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1
)


@given(st.data(), texts)
def test_what_is_drawn_is_the_text(data: Any, text: str) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    places = [(start, end, LABEL)]
    first, last = examples.window(text, places)
    assert first <= start and last >= min(end, start + examples.LONGEST)
    assert last - first <= examples.LONGEST + 2 * examples.CONTEXT
    drawn = str(examples.render(text, first, last, places, role="wanted"))
    drawn = drawn.replace(f'<b dir="auto">{html.escape(LABEL, quote=False)}</b>', "")
    drawn = re.sub(r'<b dir="auto">.*?</b>', "", drawn, flags=re.DOTALL)
    plain = html.unescape(re.sub(r"<[^>]*>", "", drawn.replace("<br>", "\n")))
    before, after = "… " if first else "", " …" if last < len(text) else ""
    assert plain.split() == html.unescape(before + html.escape(text[first:last]) + after).split()


def test_examples_take_turns() -> None:
    frequent, rare = [("a", _missed("X"))] * 9, [("b", _missed("Y"))]
    chosen = examples.take_turns([rare, frequent], 3)
    assert [error.label for _, error in chosen] == ["X", "Y", "X"]


def _missed(label: str) -> Any:
    return examples.AnnotationError("missed", label, wanted=SpanAnnotation(0, 1, label))


# Scores


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=20, max_size=60))
def test_a_threshold_curve_against_plain_counts(rows: List[Tuple[int, bool]]) -> None:
    values = [(score / 100, right) for score, right in rows]
    judged = scored.Judged(
        scored.Scored.of([(s, r, n) for n, (s, r) in enumerate(values)]), np.ones(len(values))
    )
    curve = scored.threshold_curve(judged, rounds=20)
    assert (np.diff(curve.thresholds) > 0).all()
    for t, p, r, f in zip(curve.thresholds, curve.precision, curve.recall, curve.f, strict=True):
        kept = [right for score, right in values if score >= t]
        hits = sum(kept)
        assert r == pytest.approx(hits / len(values))
        assert f == pytest.approx(2 * hits / (len(kept) + len(values)))
        assert np.isnan(p) if not kept else p == pytest.approx(hits / len(kept))
    assert ((curve.low <= curve.high) & (curve.high <= 1)).all()
    bins, error = scored.reliability(judged)
    assert sum(b.count for b in bins) == len(values)
    assert sum(b.right * b.count for b in bins) == pytest.approx(sum(r for _, r in values))
    assert all(b.low <= b.right <= b.high for b in bins) and error is not None


def test_exclusive_categories_are_judged_by_the_rarest_and_by_what_was_chosen() -> None:
    task = one_task("mood")
    header, name = task.metrics.header, world.STUDENT
    rare = scored.judge(header, task.outputs, name)
    assert rare is not None and rare.label == "SAD" and rare.wanted.sum() == 10
    best = scored.judge(header, task.outputs, name, chosen=True)
    assert best is not None and len(best.scored) == world.COUNT
    assert best.scored.scores.min() >= rare.scored.scores.min()
    assert scored.judge(header, task.outputs, world.PROMPTED) is None


def test_yes_and_no_are_no_scores() -> None:
    header = TaskHeader("t", "ner", ("A",), "d")
    found = Annotation(spans=(SpanAnnotation(0, 1, "A", score=1.0),))
    outputs = [GoldOutput("x", "d", found, (("s", found),))] * 30
    assert scored.judge(header, outputs, "s") is None


def test_evaluation_keeps_the_scores_of_categories(exported: Any) -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("textcat_multilabel", name="attributes")
    gold = Path("corpus/gold/attributes.jsonl")
    labels = read_gold_corpus(gold)[0].labels
    for label in labels:
        pipe.add_label(label)
    nlp.initialize()
    Path("training").mkdir()
    nlp.to_disk("training/attributes")
    names = ["configs/prototype.cfg", "training/attributes"]
    train = Path("corpus/attributes.jsonl")
    metrics = evaluate(names, gold=gold, train=train, outputs=Path("metrics/outputs"))
    header, outputs = read_outputs(Path("metrics/outputs/attributes.jsonl"))
    assert header == metrics.header and len(outputs) == 8
    for output in outputs:
        (name, found), *others = output.cat_scores
        assert (name, others) == ("training/attributes", []), "a prompted one has no scores"
        cats = nlp(output.text).cats
        assert found == tuple((label, pytest.approx(cats[label], abs=1e-3)) for label in labels)


# What is not there


def test_what_is_missing_is_said_in_one_line(here: Path) -> None:
    world.write_config(("product", "topics", "mood"))
    world.write_task("product", outputs=False)
    metrics = world.write_task("topics", outputs=False)
    systems = tuple(replace(s, errors=(), llm=None) for s in metrics.systems)
    path = Path("metrics/topics.json")
    path.write_text(json.dumps(replace(metrics, systems=systems).to_dict()))
    world.write_curve("product", task_digest="of another prompt")
    evidence = write_report(world.CONFIG, OUTPUT)
    page = Page(OUTPUT.read_text(encoding="utf8"))
    assert evidence.missing == ("mood",) and not evidence.seconds
    for line in (
        "since it was not evaluated: mood.",
        "No learning curve: run 'spacy hitl distill CONFIG --output training/product --curve'.",
        "No examples: metrics/outputs/product.jsonl is not there",
        "No threshold curve and no calibration: no scores are kept",
        "No kinds of errors in the metrics file",
        "No plot of speed against quality",
        "No time per decision",
    ):
        assert line in page.text
    assert not [t for t in page.named("title") if "curve" in str(t.get("id"))]


def test_without_errors() -> None:
    task = one_task()
    perfect = replace(task.metrics, systems=task.metrics.systems[:2])
    page = Page(render(Evidence((replace(task, metrics=perfect),), PromoteSettings())))
    assert "makes no error on the gold texts" in page.text
    assert "product-errors-title" not in {t.get("id") for t in page.named("title")}


def test_one_point_is_no_curve() -> None:
    task = one_task("made")
    assert curve_plots.curve_plot(task.metrics, _curve(task.metrics.header, 1)) is None
    assert curve_plots.curve_plot(task.metrics, _curve(task.metrics.header, 2)) is not None


def _curve(header: TaskHeader, points: int) -> Any:
    from spacy_hitl.scoring.curves import Curve, CurvePoint

    some = tuple(
        CurvePoint(n / 2, 10.0 * n, 0.5, 0.4, 0.6, (0, 0, 0)) for n in range(1, points + 1)
    )
    facts = (header.task, header.task_digest, "f", "c.cfg", 10, 10, 5, 5, 0, 1.0, 1.0, "3", "0")
    return Curve(*facts, points=some)


# What can't be used


def test_nothing_was_measured(here: Path, fails: Any) -> None:
    world.write_config()
    with fails("H500", "metrics"):
        write_report(world.CONFIG, OUTPUT)
    assert not OUTPUT.exists()


@pytest.mark.parametrize("change", ["header", "count", "systems"])
def test_outputs_of_another_evaluation(change: str, here: Path, fails: Any) -> None:
    world.write_config(("product",))
    more: Dict[str, Any] = {}
    metrics = world.metrics_of("product")[0]
    if change == "header":
        more = {"header": replace(metrics.header, task_digest="other")}
    elif change == "count":
        more = {"gold_texts": 39}
    else:
        more = {"systems": (*metrics.systems, replace(metrics.systems[0], name="new"))}
    world.write_task("product")
    Path("metrics/product.json").write_text(json.dumps(replace(metrics, **more).to_dict()))
    with fails("H430", "metrics/outputs/product.jsonl", "metrics/product.json"):
        read_evidence(world.CONFIG)


@pytest.mark.parametrize("content", ["{", '{"v": 1, "task": 3}', '{"v": 9}'])
def test_a_broken_curve(content: str, here: Path, fails: Any) -> None:
    world.write_config(("product",))
    world.write_task("product")
    path = Path("training/product/curve.json")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with fails("H004", path):
        read_evidence(world.CONFIG)


def test_without_matplotlib(here: Path, fails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write_config()
    monkeypatch.setattr("spacy_hitl._compat.find_spec", lambda name: None)
    with fails("H009", "matplotlib", 'pip install "spacy-hitl[report]"'):
        write_report(world.CONFIG, OUTPUT)


def test_the_command(here: Path) -> None:
    world.write_config(("made", "mood"))
    world.write_task("made")
    done = CliRunner().invoke(hitl_cli, ["report", str(world.CONFIG), "-o", str(OUTPUT)])
    assert done.exit_code == 0, done.output
    assert "mood: not evaluated" in done.output and f"Report: {OUTPUT}" in done.output
    assert OUTPUT.stat().st_mode & 0o077 == 0, "it holds gold texts"
    done = CliRunner().invoke(hitl_cli, ["report", "none.cfg"])
    assert done.exit_code == 1 and "[H001]" in done.output
