"""A prototype that starts with one call, and is taken apart task by task."""

import json
from pathlib import Path

import pytest
import srsly
from spacy.util import load_config

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.systems import System
from spacy_hitl.exchange.run import export_corpora, import_file
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.pipeline.loading import load_prompted, prompted_components, prompted_tasks
from spacy_hitl.promote.run import _add_prompted

JOINT = Path("configs/joint.cfg")
RECORDED = Path("assets/joint.jsonl")
PARTS = ["product", "link", "attributes", "relevant"]


@pytest.fixture
def joint_project(project):
    """The small project with one component that asks for four tasks, and its recording."""
    answers = {}
    for line in srsly.read_jsonl("assets/responses.jsonl"):
        if line["task"] in PARTS:
            answers.setdefault(line["id"], {})[line["task"]] = json.loads(line["response"])
    srsly.write_jsonl(
        RECORDED,
        [
            {"id": id_, "task": "phones", "sample": 1, "response": json.dumps(answer)}
            for id_, answer in answers.items()
        ],
    )
    config = load_config(project.config)
    old = config["components"]
    model = {**old["product"]["model"], "path": str(RECORDED)}
    parts = {name: old[name]["task"] for name in PARTS}
    task = {"@llm_tasks": "spacy-hitl.Joint.v1", "parts": parts}
    config["nlp"]["pipeline"] = ["phones"]
    config["components"] = {"phones": {"factory": "hitl_llm", "task": task, "model": model}}
    config["hitl"]["dataset"] = "datasets/joint.db"
    config["hitl"]["responses"] = "datasets/joint_responses.db"
    config["hitl"]["corpus"] = "joint_corpus"
    config.to_disk(JOINT)
    return project


def proposals(path):
    with Dataset(path) as dataset:
        return {
            (p.task, digest): (p.status, p.annotation, p.problems)
            for digest, *_ in dataset.texts(lanes=("gold", "dev", "train"))
            for task in PARTS
            for p in dataset.proposals(task, digest)
        }


def test_one_call_gives_what_four_calls_give(joint_project):
    annotate(joint_project.config, joint_project.texts)
    summary = annotate(JOINT, joint_project.texts)
    assert summary.annotated == len(joint_project.posts)
    apart, together = (proposals(Path(f"datasets/{name}.db")) for name in ("hitl", "joint"))
    assert together == apart
    assert len(together) == 4 * len(joint_project.posts)
    with ResponseStore(Path("datasets/joint_responses.db")) as store:
        assert len(store) == len(joint_project.posts)
    assert annotate(JOINT, joint_project.texts).annotated == 0


def test_every_stage_sees_the_parts(joint_project):
    annotate(JOINT, joint_project.texts)
    import_file(JOINT, joint_project.reference)
    status = project_status(JOINT)
    assert [task.task for task in status.tasks] == PARTS
    assert {task.decided for task in status.tasks} == {22}
    export_corpora(JOINT)
    for name in PARTS:
        header, rows = read_corpus(Path(f"joint_corpus/{name}.jsonl"))
        assert header.task == name
        assert all(row.proposal is not None for _, row in rows)
    with System(str(JOINT), "attributes") as system:
        assert (system.role, system.threshold) == ("prompted", None)
        docs, failed = system.run([post["text"] for post in joint_project.posts])
    assert failed == 0 and any(max(doc.cats.values()) == 1.0 for doc in docs)


def test_answers_are_read_anew_without_asking(joint_project):
    annotate(JOINT, joint_project.texts)
    before = proposals(Path("datasets/joint.db"))
    Path("datasets/joint.db").unlink()
    RECORDED.unlink()
    assert annotate(JOINT, joint_project.texts, reparse=True).annotated == len(joint_project.posts)
    assert proposals(Path("datasets/joint.db")) == before


def test_decisions_outlive_the_taking_apart(joint_project):
    """A part that gets a component of its own is asked anew; what was decided on it still holds."""
    annotate(JOINT, joint_project.texts)
    import_file(JOINT, joint_project.reference)
    config = load_config(JOINT)
    parts = config["components"]["phones"]["task"]["parts"]
    config["components"]["product"] = load_config(joint_project.config)["components"]["product"]
    del parts["product"]
    config["nlp"]["pipeline"] = ["product", "phones"]
    config.to_disk(JOINT)
    status = {task.task: task for task in project_status(JOINT).tasks}
    assert list(status) == PARTS
    assert {task.outdated for task in status.values()} == {0}
    summary = annotate(JOINT, joint_project.texts)
    assert summary.annotated == len(joint_project.posts)
    with Dataset(Path("datasets/joint.db")) as dataset:
        digest = next(iter(dataset.texts(lanes=("gold",))))[0]
        sources = [p.source for p in dataset.proposals("product", digest)]
    assert len(set(sources)) == 2 and sum(", joint " in s for s in sources) == 1


def test_a_held_part_goes_on_asking_alone(joint_project):
    """Promotion with prompted parts: the joint component asks only for what was held."""
    nlp, _ = load_prompted(JOINT)
    pipeline, _ = load_prompted(joint_project.config)
    for name in list(pipeline.pipe_names):
        pipeline.remove_pipe(name)
    _add_prompted(pipeline, nlp, ["link", "relevant"])
    assert list(prompted_tasks(pipeline)) == ["link", "relevant"]
    assert list(prompted_tasks(nlp)) == PARTS
    doc = pipeline.make_doc(joint_project.posts[0]["text"])
    request = prompted_components(pipeline)["phones"].task.build_request(doc, name="x", sample=1)
    assert list(request.schema["properties"]) == ["link", "relevant"]


def test_two_tasks_of_one_name_are_refused(joint_project, fails):
    config = load_config(JOINT)
    config["components"]["product"] = load_config(joint_project.config)["components"]["product"]
    config["nlp"]["pipeline"] = ["product", "phones"]
    config.to_disk(JOINT)
    with fails("H126", "'product'"):
        annotate(JOINT, joint_project.texts)
