"""What `spacy hitl status` says of decisions after a change of plan, and of the people at work."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import read_versions
from spacy_hitl.exchange.confidence import confidence_report
from spacy_hitl.exchange.run import export_corpora, import_file
from spacy_hitl.exchange.status.project import ProjectStatus, project_status
from spacy_hitl.exchange.status.standing import TaskStatus
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Decision, TaskRow

DB = Path("datasets/hitl.db")


def status_of(project: Any, task: str) -> TaskStatus:
    (found,) = [t for t in project_status(project.config).tasks if t.task == task]
    return found


def said(project: Any) -> str:
    result = CliRunner().invoke(hitl_cli, ["status", str(project.config)])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def corpus_of(task: str) -> List[TaskRow]:
    return [row for _, row in read_corpus(Path(f"corpus/{task}.jsonl"))[1]]


def labels_of(project: Any, task: str) -> List[str]:
    nlp, _ = load_prompted(project.config)
    return list(prompted_tasks(nlp)[task].task.labels)


def test_annotate_and_import_remember_the_tasks(project: Any) -> None:
    annotate(project.config, project.texts)
    with Dataset(DB) as dataset:
        found = {task: list(read_versions(dataset, task)) for task in ("product", "relevant")}
    nlp, _ = load_prompted(project.config)
    tasks = prompted_tasks(nlp)
    assert found == {task: [tasks[task].task.digest()] for task in found}
    project.edit({"components.product.task.label_definitions": {"PRODUCT": "something else"}})
    import_file(project.config, project.reference)
    with Dataset(DB) as dataset:
        assert len(read_versions(dataset, "product")) == 2
        assert len(read_versions(dataset, "relevant")) == 1


def test_a_renamed_label_keeps_its_decisions(exported: Any) -> None:
    before = {row.text: row.decision for row in corpus_of("product")}
    name = "components.product.task.labels"
    exported.edit({name: ["PHONE"]})
    lost = status_of(exported, "product").decisions
    assert (lost.decided, lost.in_part, lost.again) == (0, 0, 22)
    assert "22 texts are queued again" in said(exported)
    exported.edit({"hitl.changes.product.rename": {"PRODUCT": "PHONE"}})
    kept = status_of(exported, "product").decisions
    assert (kept.decided, kept.again, kept.older, kept.unknown) == (22, 0, 22, 0)
    assert "22 texts are decided under older labels or guidelines, and hold" in said(exported)
    export_corpora(exported.config)
    after = {row.text: row.decision for row in corpus_of("product") if row.decision is not None}
    assert len(after) == 14
    for text, decision in after.items():
        was = before[text]
        assert was is not None and decision is not None
        assert [replace(s, label="PRODUCT") for s in decision.spans] == list(was.spans)


def test_an_added_label_waits_to_be_looked_at(exported: Any) -> None:
    labels = [*labels_of(exported, "attributes"), "PRICE_POSITIVE"]
    exported.edit({"components.attributes.task.labels": labels})
    found = status_of(exported, "attributes").decisions
    assert (found.decided, found.in_part, found.to_look_at) == (0, 22, (("PRICE_POSITIVE", 22),))
    assert "to look at: PRICE_POSITIVE (22)" in said(exported)
    export_corpora(exported.config)
    rows = [row for row in corpus_of("attributes") if row.partial is not None]
    assert len(rows) == 14 and all(row.decision is None for row in rows)
    assert {row.partial.labels for row in rows if row.partial} == {tuple(labels[:-1])}
    # A pass over the one label makes them whole again, without a word about the others.
    nlp, _ = load_prompted(exported.config)
    digest = prompted_tasks(nlp)["attributes"].task.digest()
    with Dataset(DB) as dataset:
        decided = list(dataset.texts(lanes=("train", "dev", "gold")))
        passes = [
            Decision(
                *(text, "attributes", "accept", "ann", "person", digest),
                labels=("PRICE_POSITIVE",),
                time=10.0 * i,
                seconds=5.0,
                uid=f"u{i}",
            )
            for i, (text, *_) in enumerate(decided)
            if dataset.decisions("attributes", text)
        ]
        dataset.add_decisions(passes)
    assert status_of(exported, "attributes").decided == 22
    everything = project_status(exported.config)
    assert everything.clock.decisions == 22 and list(everything.people) == ["ann"]
    assert "ann 22 5.0" in said(exported)


def test_a_label_that_means_something_else(exported: Any) -> None:
    first = labels_of(exported, "attributes")[0]
    exported.edit(
        {
            "components.attributes.task.label_definitions": {first: "a new meaning"},
            "hitl.changes.attributes.recheck": [first],
        }
    )
    found = status_of(exported, "attributes").decisions
    assert (found.in_part, found.to_look_at) == (22, ((first, 22),))


def test_changes_are_checked_wherever_they_matter(exported: Any, fails: Any) -> None:
    exported.edit({"hitl.changes.product.recheck": ["TYPO"]})
    doors: Dict[str, Any] = {
        "status": project_status,
        "export": export_corpora,
        "confidence": lambda config: confidence_report(config, "product"),
    }
    for door in doors.values():
        with fails("H232", "'TYPO'", "hitl.changes.product"):
            door(exported.config)
    exported.edit({"hitl.changes": {"typo": {"recheck": ["PRODUCT"]}}})
    for door in doors.values():
        with fails("H233", "hitl.changes.typo"):
            door(exported.config)
    exported.edit({"hitl.changes": {"product": {"renamed": {"A": "PRODUCT"}}}})
    with fails("H012", "changes.product.renamed"):
        project_status(exported.config)


def test_without_a_dataset_it_says_where_to_begin(project: Any) -> None:
    found = project_status(project.config)
    assert (found.rows, found.lanes, found.version) == (0, {}, None)
    assert {t.next.line for t in found.tasks} == {
        "spacy hitl annotate configs/prototype.cfg assets/posts.jsonl"
    }
    project.texts.unlink()
    assert "MORE.jsonl stands for a file of yours" in said(project)


def test_proposals_count_by_what_they_are_of(exported: Any) -> None:
    before = status_of(exported, "product").proposals
    assert (before.usable + sum(before.unusable.values()), before.other) == (30, {})
    name = before.source
    with Dataset(DB) as dataset:
        texts = [digest for digest, *_ in dataset.texts(lanes=("train",))]
        proposals = (p for digest in texts for p in dataset.proposals("product", digest))
        one = next(p for p in proposals if p.usable)
        dataset.add_proposals(
            [
                replace(one, source="other"),
                replace(one, sample=2),
                replace(one, task_digest="old"),
                replace(one, source="production:0123"),
            ]
        )
    found = status_of(exported, "product").proposals
    assert (found.usable, found.unusable) == (before.usable, before.unusable)
    assert found.other == {
        "other": 1,
        f"{name}, further samples": 1,
        f"{name}, another version of the task": 1,
    }
    assert "not counted: 1" in said(exported)


def test_an_export_is_old_when_something_came_in(exported: Any, tmp_path: Path) -> None:
    def state(task: str = "product") -> Any:
        return status_of(exported, task).corpus

    assert state().state == "current"
    with Dataset(DB) as dataset:
        digest, *_ = next(iter(dataset.texts(lanes=("train",))))
        task_digest = dataset.proposals("product", digest)[0].task_digest
        dataset.add_decisions([Decision(digest, "product", "reject", "ann", "person", task_digest)])
    assert (state().state, state().why) == ("stale", "decisions were added since the export")
    assert state("relevant").state == "current"
    export_corpora(exported.config)
    assert state().state == "current"
    posts = tmp_path / "more.jsonl"
    posts.write_text('{"id": "x", "text": "a gold text", "lane": "gold"}')
    annotate(exported.config, posts)
    assert "texts were added" in state().why or "proposals were added" in state().why
    export_corpora(exported.config)
    with Path("corpus/product.jsonl").open("a") as file_:
        file_.write("\n")
    assert (state().state, state("link").state) == ("stale", "current")
    Path("corpus/gold/link.jsonl").unlink()
    assert state("link").state == "missing"
    Path("corpus/exported.json").write_text("{")
    assert state("relevant").why == "it is not known what the corpora were made from"


def test_an_export_writes_the_same_record_again(exported: Any) -> None:
    path = Path("corpus/exported.json")
    before = path.read_bytes()
    export_corpora(exported.config)
    assert path.read_bytes() == before


HALF = ("{", "[]", "null", '{"v": 9}', "\x00", '{"header": 1}', "[" * 5000)


@pytest.mark.parametrize("content", HALF)
def test_whatever_is_half_there_is_told(exported: Any, content: str) -> None:
    """Files that a killed run, a full disk or a wrong hand left behind."""
    for path in (
        "metrics/product.json",
        "training/product/model-best/meta.json",
        "training/link/model-best/meta.json",
        "versions/0123/meta.json",
        "corpus/exported.json",
        "corpus/gold/link.jsonl",
        "configs/product.cfg",
        "configs/other.cfg",
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content)
    Path("training/link/model-best/config.cfg").write_text("")
    Path("pipelines").mkdir()
    Path("pipelines/phones").symlink_to("../versions/0123")
    exported.edit({"hitl.promote.min_gold": 8})
    product = status_of(exported, "product")
    assert (product.student.state, product.figures.state) == ("broken", "broken")
    assert "metrics/product.json" in product.problems[0]
    assert product.stage == "reviewed"
    assert "can't be read" in said(exported)


def test_a_link_to_nowhere_is_told(exported: Any) -> None:
    Path("pipelines").mkdir()
    Path("pipelines/phones").symlink_to("../versions/gone")
    assert "'pipelines/phones' points to a version that is not there" in said(exported)


def test_machines_get_the_same_facts(exported: Any) -> None:
    result = CliRunner().invoke(hitl_cli, ["status", str(exported.config), "--json"])
    facts = json.loads(result.output)
    assert result.exit_code == 0 and facts["v"] == 1
    found = project_status(exported.config)
    assert [t["next"]["line"] for t in facts["tasks"]] == [t.next.line for t in found.tasks]
    assert [t["stage"] for t in facts["tasks"]] == [t.stage for t in found.tasks]
    assert facts["tasks"][0]["decisions"]["decided"] == 22
    first = {k: v for k, v in facts.items() if k != "v"}
    for task in first["tasks"]:
        del task["stage"], task["next"]["line"]
    assert TypeAdapter(ProjectStatus).validate_python(first) == found


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit_and_commands_are_whole(
    exported: Any, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = CliRunner().invoke(hitl_cli, ["status", str(exported.config)])
    lines = result.output.splitlines()
    commands = [line for line in lines if line.startswith("    spacy hitl ")]
    assert len(commands) == len(project_status(exported.config).tasks)
    others = [line for line in lines if line not in commands]
    assert max(map(len, others)) <= columns


def test_bulk_decisions_say_so_and_are_nobodys_work(exported: Any) -> None:
    export_corpora(exported.config)
    with Dataset(DB) as dataset:
        undecided = [
            p
            for digest, *_ in dataset.texts(lanes=("train",))
            for p in dataset.proposals("product", digest)
            if not dataset.decisions("product", digest)
        ]
        assert undecided
        dataset.add_decisions(
            [
                Decision(
                    *(p.text_digest, "product", "accept", "ann", "person", p.task_digest),
                    annotation=p.annotation,
                    mode="bulk",
                    uid="b",
                )
                for p in undecided
            ]
        )
    export_corpora(exported.config)
    rows = corpus_of("product")
    assert sum(row.bulk for row in rows) == len(undecided)
    assert all(row.decision is not None for row in rows if row.bulk)
    assert "ann" not in project_status(exported.config).people
