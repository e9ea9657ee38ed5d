"""Production, digests, outputs, slices and utility of an evaluation, on a small project."""

import json
import stat
from functools import partial
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
import spacy
import srsly
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.evaluate import run
from spacy_hitl.evaluate.details import (
    confusion_table,
    details,
    errors_table,
    kinds_of,
    slices_table,
)
from spacy_hitl.evaluate.systems import open_production
from spacy_hitl.evaluate.table import business_line, label_table, overview
from spacy_hitl.exchange.run import export_corpora
from spacy_hitl.io import file_digest, folder_digest, write_json
from spacy_hitl.records import RowMeta, TaskHeader, TaskRow
from spacy_hitl.scoring.error_types import count_errors, find_errors
from spacy_hitl.scoring.outputs import read_outputs
from spacy_hitl.scoring.results import (
    Confusion,
    ErrorCount,
    SliceScore,
    SystemScore,
    TaskMetrics,
)

CONFIG = "configs/prototype.cfg"
RULES = "training/product/model-best"
LINK = Path("pipelines/phones")
evaluate = partial(run.evaluate, speed=False)


def files(task: str) -> Dict[str, Path]:
    return {"gold": Path(f"corpus/gold/{task}.jsonl"), "train": Path(f"corpus/{task}.jsonl")}


def save_rules(path: str, *forms: str, name: str = "product") -> Path:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", name=name)
    ruler.add_patterns([{"label": "PRODUCT", "pattern": form} for form in forms])
    Path(path).mkdir(parents=True, exist_ok=True)
    nlp.to_disk(path)
    return Path(path)


@pytest.fixture(autouse=True)
def rules(exported: Any) -> Path:
    """Rules in the place of a student of 'product'."""
    return save_rules(RULES, "K10", "K9", "my")


@pytest.fixture
def production() -> Path:
    """An older version in production, behind its link."""
    version = save_rules("versions/v1", "K10")
    LINK.parent.mkdir()
    LINK.symlink_to(Path("..") / version, target_is_directory=True)
    return version


def test_production_is_one_more_system(exported: Any, production: Path) -> None:
    metrics = evaluate([CONFIG, RULES], **files("product"), production=LINK)
    assert [s.role for s in metrics.systems] == ["baseline", "prompted", "student", "production"]
    live = metrics.systems[-1]
    assert (live.name, live.digest) == (str(LINK), folder_digest(production))
    alone = evaluate([str(production)], **files("product")).systems[-1]
    assert (live.score, live.labels, live.errors) == (alone.score, alone.labels, alone.errors)
    assert metrics.compared(RULES, str(LINK)) is not None
    assert metrics.by_role("student") == metrics.systems[2]
    assert metrics.notes == ()


def test_what_is_not_in_production_yet_is_a_note(exported: Any, production: Path) -> None:
    metrics = evaluate([CONFIG], **files("relevant"), production=LINK)
    assert [s.role for s in metrics.systems] == ["baseline", "prompted"]
    (note,) = metrics.notes
    parts = ("Not in production when this was measured", "'relevant'", "(product)")
    assert all(part in note for part in parts)
    LINK.unlink()
    (note,) = evaluate([CONFIG], **files("relevant"), production=LINK).notes
    assert "there was no 'pipelines/phones'" in note
    assert f"relevant: {note}" in overview(
        [evaluate([CONFIG], **files("relevant"), production=LINK)]
    )


def test_production_asks_no_model(exported: Any) -> None:
    """A task that runs prompted in production is the prompted system; none is asked beside."""
    nlp = spacy.load(save_rules("versions/v2", "K10"))
    block = load_config(CONFIG, interpolate=True)["components"]["relevant"]
    nlp.add_pipe(block.pop("factory"), name="relevant", config=block, first=True)
    nlp.to_disk("versions/v2")
    Path("assets/responses.jsonl").write_text("")  # whoever asks gets no answer
    live = Path("versions/v2")
    system, _ = open_production(live, "product")
    assert system is not None and system.nlp.pipe_names == ["product"]
    metrics = evaluate([RULES], **files("product"), production=live)
    assert (metrics.systems[-1].role, metrics.systems[-1].failed) == ("production", 0)
    (note,) = evaluate([CONFIG], **files("relevant"), production=live).notes
    assert "'relevant' still asks a model" in note


def test_a_broken_pipeline_in_production_is_an_error(exported: Any, fails: Any) -> None:
    LINK.mkdir(parents=True)
    with fails("H501", LINK):
        evaluate([RULES], **files("product"), production=LINK)


def test_the_baseline_links_the_mentions_of_the_student(exported: Any, production: Path) -> None:
    """Not those of production, which finds fewer."""
    student = save_rules("training/link/model-best", "nothing at all", name="link")
    nlp = spacy.load(production)
    nlp.add_pipe("entity_ruler", name="link").add_patterns([{"label": "PRODUCT", "pattern": "-"}])
    nlp.to_disk(production)
    name = f"{RULES}+{student}"
    alone = evaluate([name], **files("link")).systems[0]
    assert evaluate([name], **files("link"), production=LINK).systems[0] == alone


def test_digests_are_those_of_the_files(exported: Any) -> None:
    metrics = evaluate([RULES], **files("product"))
    gold, train = files("product").values()
    assert (metrics.gold_digest, metrics.train_digest) == (file_digest(gold), file_digest(train))


def test_what_every_system_found_is_written(exported: Any) -> None:
    metrics = evaluate([CONFIG, RULES], **files("product"), outputs=Path("metrics/outputs"))
    path = Path("metrics/outputs/product.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    header, outputs = read_outputs(path)
    assert (header, len(outputs)) == (metrics.header, 8)
    gold = list(srsly.read_jsonl(files("product")["gold"]))[1:]
    assert [o.text_digest for o in outputs] == [row["text_digest"] for row in gold]
    assert [o.text for o in outputs] == [row["text"] for row in gold]
    for i, system in enumerate(metrics.systems):
        assert {o.found[i][0] for o in outputs} == {system.name}
        errors = [e for o in outputs for e in find_errors(header, o.wanted, o.found[i][1])]
        assert count_errors(errors) == system.errors
    before = path.read_bytes()
    evaluate([CONFIG, RULES], **files("product"), outputs=Path("metrics/outputs"))
    assert path.read_bytes() == before


def test_errors_are_the_false_ones_of_the_counts(exported: Any) -> None:
    for system in evaluate([CONFIG, RULES], **files("product")).systems:
        (label,) = system.labels
        kinds = {e.kind: e.count for e in system.errors}
        assert kinds.get("missed", 0) + kinds.get("boundary", 0) == label.fn
        assert kinds.get("spurious", 0) + kinds.get("boundary", 0) == label.fp
    header, *rows = srsly.read_jsonl(files("relevant")["gold"])
    rows[0]["decision"] = {"cats": [{"label": "NOT_RELEVANT"}]}
    srsly.write_jsonl(files("relevant")["gold"], [header, *rows])
    systems = evaluate([CONFIG], **files("relevant")).systems
    assert systems[0].confusion, "the majority is wrong somewhere"
    for system in systems:
        taken = {c.wanted: c.count for c in system.confusion}
        assert taken == {e.label: e.count for e in system.errors if e.kind == "label"}
        assert sum(taken.values()) == sum(label.fn for label in system.labels)


def test_labels_have_bounds(exported: Any) -> None:
    metrics = evaluate([CONFIG, RULES], **files("product"))
    for system in metrics.systems:
        for label in system.labels:
            for value, bounds in (
                (label.p, label.p_bounds),
                (label.r, label.r_bounds),
                (label.f, label.f_bounds),
            ):
                assert bounds is not None
                assert 0 <= bounds[0] <= value <= bounds[1] <= 1 and bounds[0] < bounds[1]
    (student,) = metrics.systems[2].labels
    assert student.r_bounds is not None
    cell = f"{student.r:.2f} [{student.r_bounds[0]:.2f}, {student.r_bounds[1]:.2f}]"
    assert cell in label_table(metrics)


def test_what_was_never_found_has_no_precision(exported: Any) -> None:
    save_rules(RULES, "nowhere to be found")
    metrics = evaluate([RULES], **files("product"))
    (label,) = metrics.systems[1].labels
    assert label.p_bounds is None and label.r_bounds is not None
    (line,) = [x for x in label_table(metrics).splitlines() if x.startswith("student")]
    assert line.split()[2] == "-"


# Gold rows know where they come from


def test_gold_rows_bring_source_and_meta(exported: Any) -> None:
    rows = list(srsly.read_jsonl(files("product")["gold"]))[1:]
    dates = {p["text"]: p["date"] for p in exported.posts}
    for row in rows:
        assert row["rows"] == [{"source": "posts.jsonl", "meta": {"date": dates[row["text"]]}}]
    assert not any("rows" in row for row in srsly.read_jsonl(files("product")["train"]))
    before = files("product")["gold"].read_bytes()
    export_corpora(exported.config)
    assert files("product")["gold"].read_bytes() == before


def many_rows(task: str) -> Tuple[Dict[str, Path], int]:
    """The gold file with every text four times, in two sources."""
    paths = files(task)
    header, *rows = srsly.read_jsonl(paths["gold"])
    more = [
        {**row, "rows": [{"source": "ab"[n % 2], "meta": {"stars": n % 2}}]}
        for n in range(4)
        for row in rows
    ]
    srsly.write_jsonl(paths["gold"], [header, *more])
    return paths, len(more)


def test_slices_are_scored(exported: Any) -> None:
    paths, texts = many_rows("product")
    metrics = evaluate([CONFIG, RULES], **paths)
    for system in metrics.systems:
        found = {(s.by, s.value): s for s in system.slices}
        for name in (("source", "a"), ("source", "b"), ("stars", "0"), ("stars", "1")):
            part = found[name]
            assert part.texts == texts // 2
            # Every text is once in each half: their scores are that of all.
            assert part.score == pytest.approx(system.score)
            assert 0 <= part.low <= part.score <= part.high <= 1
    lengths = [s for s in metrics.systems[0].slices if s.by == "length"]
    assert len(lengths) > 1 and sum(s.texts for s in lengths) == texts
    shown = slices_table(metrics)
    assert "baseline" in shown and "student" in shown
    (line,) = [x for x in shown.splitlines() if x.split()[:2] == ["source", "a"]]
    assert f" {metrics.systems[2].score:.2f} [" in line


def test_few_texts_have_no_slices(exported: Any) -> None:
    metrics = evaluate([RULES], **files("product"))
    assert all(s.slices == () for s in metrics.systems) and slices_table(metrics) == ""


# Utility


def test_a_measured_config_brings_its_utility(exported: Any) -> None:
    assert evaluate([CONFIG, RULES], **files("product")).systems[1].utility is None
    exported.edit({"hitl.utility.product.missed": 3.0, "hitl.utility.relevant.right": 1.0})
    metrics = evaluate([CONFIG, RULES], **files("product"))
    for system in metrics.systems:
        (label,) = system.labels
        assert system.utility is not None
        assert system.utility.value == pytest.approx(-3.0 * label.fn * 1000 / 8)
    assert all(c.utility is not None for c in metrics.comparisons)
    assert business_line(metrics).startswith("product: better for the business is ")
    # Folders bring no [hitl] that counts: the config must be given.
    assert evaluate([RULES], **files("product")).systems[1].utility is None
    given = evaluate([RULES], **files("product"), config=Path(CONFIG))
    assert given.systems[1].utility == metrics.systems[2].utility


def test_two_configs_that_say_different_things(exported: Any, fails: Any) -> None:
    Path("configs/other.cfg").write_text(Path(CONFIG).read_text())
    exported.edit({"hitl.utility.product.missed": 3.0})
    names = [CONFIG, "configs/other.cfg"]
    with fails("H403", *names, "[hitl.utility.product]"):
        evaluate(names, **files("product"))
    metrics = evaluate(names, **files("product"), config=Path(CONFIG))
    assert metrics.systems[1].utility == metrics.systems[2].utility is not None
    assert evaluate(names, **files("relevant")).systems[1].utility is None


def test_a_label_that_the_task_does_not_have(exported: Any, fails: Any) -> None:
    exported.edit({"hitl.utility.product.labels": {"PHONE": {"right": 2.0}}})
    with fails("H404", CONFIG, "'PHONE'", "PRODUCT"):
        evaluate([CONFIG], **files("product"))


def test_a_task_that_the_pipeline_does_not_have(exported: Any, fails: Any) -> None:
    exported.edit({"hitl.utility.produkt": {"right": 2.0}})
    with fails("H405", CONFIG, "produkt", "product"):
        evaluate([CONFIG], **files("product"))


def test_a_linker_without_mentions_is_told(exported: Any) -> None:
    linker = spacy.blank("en")
    linker.add_pipe("sentencizer", name="link")
    linker.to_disk("linker")
    metrics = evaluate(["linker"], **files("link"))
    (note,) = metrics.notes
    assert "'linker' found no mention" in note and "FOLDER+linker" in note
    assert evaluate([f"{RULES}+linker"], **files("link")).notes == ()


# Tables


def system(name: str, **values: Any) -> SystemScore:
    return SystemScore(name, "student", *(0.5,) * 5, **values)


def metrics_of(kind: str, *systems: SystemScore, labels: int = 12, **values: Any) -> TaskMetrics:
    header = TaskHeader("t", kind, tuple(f"L{i:02}" for i in range(labels)), "d", **values)
    return TaskMetrics(header, "t_f", 10, (), True, systems)


def test_the_command_shows_what_is_asked_for(exported: Any, production: Path) -> None:
    exported.edit({"hitl.utility.product.missed": 3.0})
    paths, texts = many_rows("product")
    args = ["evaluate", RULES, "--no-speed", "--output", "metrics/product.json"]
    args += [f"--{name}={path}" for name, path in paths.items()]
    done = CliRunner().invoke(hitl_cli, args, terminal_width=200)
    assert done.exit_code == 0, done.output
    assert "production" not in done.output and "business" not in done.output
    assert "boundary" not in done.output and "slice" not in done.output
    assert len(read_outputs(Path("metrics/outputs/product.jsonl"))[1]) == texts
    args += ["--details", "--production", str(LINK), "--config", CONFIG]
    done = CliRunner().invoke(hitl_cli, args, terminal_width=200)
    assert done.exit_code == 0, done.output
    for part in (" production ", "worth of 1,000", "better for the business", "boundary", "slice"):
        assert part in done.output
    metrics = TaskMetrics.from_dict(json.loads(Path("metrics/product.json").read_text()))
    assert [s.role for s in metrics.systems] == ["baseline", "student", "production"]
    args[args.index(str(LINK))] = "pipelines/nobody"
    done = CliRunner().invoke(hitl_cli, args, terminal_width=200)
    assert done.exit_code == 0 and "Not in production when this was measured" in done.output


@pytest.mark.parametrize(
    "kind, labels, exclusive, wanted",
    [
        ("ner", 2, False, ["missed", "spurious", "boundary", "label", "both"]),
        ("ner", 1, False, ["missed", "spurious", "boundary"]),
        ("textcat", 2, False, ["missed", "spurious"]),
        ("textcat", 2, True, ["missed", "spurious", "label"]),
        ("relations", 2, False, ["missed", "spurious", "label"]),
    ],
)
def test_columns_of_errors(kind: str, labels: int, exclusive: bool, wanted: Any) -> None:
    assert kinds_of(metrics_of(kind, labels=labels, exclusive=exclusive)) == wanted


def test_errors_of_many_labels_are_put_together() -> None:
    errors = [ErrorCount("missed", f"L{i:02}", i + 1) for i in range(12)]
    errors.append(ErrorCount("both", "L00", 20))
    lines = errors_table(metrics_of("ner", system("s", errors=tuple(errors)))).splitlines()
    cells = [line.split() for line in lines if line.startswith("student ")]
    assert cells[0] == ["student", "all", "78", "0", "0", "0", "20", "98"]
    assert cells[1] == ["student", "L00", "1", "0", "0", "0", "20", "21"]
    assert cells[-1] == ["student", "2", "others", "5", "0", "0", "0", "0", "5"]
    assert len(cells) == 12


def test_rare_confusions_are_put_together() -> None:
    pairs = tuple(Confusion("A", f"L{i:02}", 20 - i) for i in range(12))
    shown = confusion_table(metrics_of("ner", system("s", confusion=pairs)))
    lines = [line.split() for line in shown.splitlines() if line.startswith("student ")]
    assert lines[0] == ["student", "A", "L00", "20"]
    assert lines[-1] == ["student", "2", "other", "pairs", "19"] and len(lines) == 11


def test_details_without_anything_to_show() -> None:
    assert details(metrics_of("ner", system("s"))) == ""
    one, other = (system(n, slices=(SliceScore("x", "y", 10, *(0.5,) * 3),)) for n in "ab")
    shown = details(metrics_of("ner", one, other))
    assert "student 1" in shown and "student 2" in shown and "errors" not in shown


def test_metrics_with_everything_survive_their_file(exported: Any, production: Path) -> None:
    exported.edit({"hitl.utility.product.missed": 3.0})
    paths, _ = many_rows("product")
    metrics = evaluate([CONFIG, RULES], **paths, production=LINK)
    assert metrics.systems[1].slices and metrics.systems[2].errors
    write_json(Path("m.json"), metrics.to_dict())
    assert TaskMetrics.from_dict(json.loads(Path("m.json").read_text())) == metrics


def test_a_row_of_gold_may_hold_only_plain_values(fails: Any) -> None:
    row = TaskRow("x", "1", "gold", rows=(RowMeta("a", {"n": 1, "b": True, "f": 0.5, "s": "x"}),))
    assert TaskRow.from_dict(row.to_dict()) == row
    with fails("H004", "meta"):
        RowMeta.from_dict({"source": "a", "meta": {"nested": {}}})
