"""Where a promoted pipeline comes from: taken down when it is made, read from its meta alone."""

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy
import srsly
import thinc
from spacy.about import __version__ as spacy_version
from spacy.language import Language
from spacy.pipeline import Sentencizer

from ..about import __version__
from ..dataset.digests import plain_name
from ..errors import Errors, InputError
from ..io import file_digest, folder_digest, json_digest, read_json, text_digest, write_json
from ..pipeline.hitl_llm import PromptedTask
from ..pipeline.loading import prompted_tasks
from ..records import Learned, Lineage, PromptDigest, StudentLineage
from ..scoring.gate import Verdict
from ..scoring.results import STUDENT, TaskMetrics

META = "hitl"
META_FILE, CARD_FILE = "meta.json", "README.md"


def describe(
    *,
    name: str,
    metrics: Mapping[str, TaskMetrics],
    metrics_folder: Path,
    trained: Mapping[str, Language],
    prompted_nlp: Language,
    prompted: Sequence[str],
    verdicts: Sequence[Verdict],
    code: Optional[Path] = None,
) -> Lineage:
    """Take down where a pipeline comes from. The same inputs give the same record.

    name (str): Of the pipeline.
    metrics (Mapping[str, TaskMetrics]): What was measured, by task.
    metrics_folder (Path): Where that was read.
    trained (Mapping[str, Language]): The students that are in it, as loaded from their folders, by
        task.
    prompted_nlp (Language): The prompted pipeline.
    prompted (Sequence[str]): Tasks that stay prompted.
    verdicts (Sequence[Verdict]): On all tasks.
    code (Optional[Path]): The user's own code that was imported.
    RETURNS (Lineage): Digests, counts and figures; the digests of the files come when these are
        written.
    """
    tasks = prompted_tasks(prompted_nlp)
    return Lineage(
        name=name,
        spacy_hitl=__version__,
        versions=package_versions(),
        config=config_digest(prompted_nlp),
        code=None if code is None else file_digest(code),
        students={
            task: _student(
                metrics[task],
                digest=file_digest(metrics_folder / f"{task}.json"),
                prompt=describe_prompt(prompted_nlp, tasks[task]) if task in tasks else None,
                learned=learned_of(nlp),
            )
            for task, nlp in trained.items()
        },
        prompted=tuple(prompted),
        held={
            v.task: tuple(_without_paths(reason, metrics[v.task]) for reason in v.reasons)
            for v in verdicts
            if not v.passed
        },
    )


def _student(
    metrics: TaskMetrics,
    *,
    digest: str,
    prompt: Optional[PromptDigest],
    learned: Optional[Learned],
) -> StudentLineage:
    student = metrics.by_role(STUDENT)
    assert student is not None and student.digest is not None
    return StudentLineage(
        kind=metrics.header.kind,
        task_digest=metrics.header.task_digest,
        student_digest=student.digest,
        score={metrics.main: round(student.score, 4)},
        interval=(round(student.low, 4), round(student.high, 4)),
        gold_texts=metrics.gold_texts,
        origins=metrics.origins,
        blind=metrics.blind,
        metrics_digest=digest,
        gold_digest=metrics.gold_digest,
        needs=student.needs,
        prompt=prompt,
        learned=learned,
    )


def _without_paths(reason: str, metrics: TaskMetrics) -> str:
    """A reason may name systems, and these may be folders of this machine."""
    for system in metrics.systems:
        for part in system.name.split("+"):
            reason = reason.replace(part, plain_name(part))
    return reason


def package_versions() -> Tuple[Tuple[str, str], ...]:
    """RETURNS (Tuple[Tuple[str, str], ...]): The packages a pipeline runs on, with versions."""
    return (("numpy", numpy.__version__), ("spacy", spacy_version), ("thinc", thinc.__version__))


def config_digest(prompted_nlp: Language) -> str:
    """RETURNS (str): Digest of the config of a prompted pipeline, as spaCy filled it in."""
    return json_digest(prompted_nlp.config.interpolate())


def describe_prompt(nlp: Language, prompted: PromptedTask) -> PromptDigest:
    """Digest what a model is asked.

    nlp (Language): The prompted pipeline.
    prompted (PromptedTask): One of its tasks. Of a user's own task without the parts that ours
        have, only the digest is known.
    RETURNS (PromptDigest): The task, the model, and the parts of the prompt.
    """
    task: Any = prompted.task
    block: Any = nlp.config["components"][prompted.component.name]["task"]
    if prompted.component.parts is not None:
        block = block["parts"][prompted.name]
    folder, examples = getattr(task, "folder", None), block.get("examples")
    template = None if folder is None else folder / "prompt.jinja"
    guidelines = task.guidelines() if callable(getattr(task, "guidelines", None)) else ""
    instructions = getattr(task, "system_prompt", None)
    return PromptDigest(
        task_digest=task.digest(),
        model=plain_name(prompted.source),
        instructions=text_digest(instructions()) if callable(instructions) else None,
        template=file_digest(template) if template is not None and template.is_file() else None,
        guidelines=text_digest(guidelines) if guidelines else None,
        examples=file_digest(Path(examples)) if examples else None,
    )


def definitions_of(nlp: Language) -> Dict[str, Dict[str, str]]:
    """RETURNS (Dict[str, Dict[str, str]]): What labels mean, where it is said."""
    tasks = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
    return {name: dict(getattr(task, "definitions", {})) for name, task in tasks.items()}


def learned_of(nlp: Language) -> Optional[Learned]:
    """RETURNS (Optional[Learned]): What a student says it learned from; None if it does not."""
    value = nlp.meta.get(META, {}).get("learned")
    return None if value is None else Learned.from_dict(value, where="meta of the student")


def read_lineage(path: Path) -> Lineage:
    """Read the lineage of a pipeline from its meta. Nothing is loaded.

    path (Path): Folder of a promoted pipeline, or of a student.
    RETURNS (Lineage): What the meta says.
    RAISES (InputError): If there is no pipeline, or its meta does not say where it comes from.
    """
    if not (path / META_FILE).is_file():
        raise InputError(Errors.H521.format(path=path))
    meta = read_json(path / META_FILE, what="meta")
    found = meta.get(META) if isinstance(meta, dict) else None
    if not isinstance(found, dict) or not ({"students", "learned"} & set(found)):
        raise InputError(Errors.H520.format(path=path))
    return Lineage.from_dict(found, where=f"{path / META_FILE}, 'hitl'")


def parts_of(folder: Path) -> Dict[str, str]:
    """Digest the files of a pipeline, but for those that tell of it.

    folder (Path): A pipeline.
    RETURNS (Dict[str, str]): Digests of the files and folders in it, by name, without meta.json and
        README.md.
    """
    entries = sorted(p for p in folder.iterdir() if p.name not in (META_FILE, CARD_FILE))
    return {p.name: folder_digest(p) if p.is_dir() else file_digest(p) for p in entries}


def write_signed(pipeline: Language, folder: Path, lineage: Lineage, card: str) -> None:
    """Write a pipeline with its lineage and its card.

    pipeline (Language): Its meta is changed.
    folder (Path): An empty folder.
    lineage (Lineage): Without `parts`.
    card (str): The model card.
    """
    pipeline.meta[META] = lineage.to_dict()
    pipeline.to_disk(folder)
    _put_in_order(pipeline, folder)
    pipeline.meta[META]["parts"] = [list(pair) for pair in parts_of(folder).items()]
    srsly.write_json(folder / META_FILE, pipeline.meta)
    (folder / CARD_FILE).write_text(card, encoding="utf8")


def _put_in_order(pipeline: Language, folder: Path) -> None:
    """spaCy writes what ends a sentence in an order that another process will not repeat."""
    names: List[str] = [n for n, pipe in pipeline.components if isinstance(pipe, Sentencizer)]
    for name in names:
        path = (folder / name).with_suffix(".json")  # as the sentencizer does
        value = json.loads(path.read_text(encoding="utf8"))
        write_json(path, {**value, "punct_chars": sorted(value["punct_chars"])})
