"""The factory `hitl_cascade`: reads and checks what the config says."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, cast

from spacy.language import Language

from ...errors import Errors, InputError
from ...settings import PrivacySettings
from ...ty import Task
from .component import HitlCascade, Points, Rules


def make_hitl_cascade(
    nlp: Language,
    name: str,
    student: str,
    task: Optional[Any],
    model: Optional[Any],
    threshold: float,
    calibration: Optional[List[List[float]]],
    audit_share: float,
    queue: Optional[Path],
    responses: Optional[Path],
    privacy: Dict[str, Any],
) -> HitlCascade:
    """Make a cascade: a component after a student that asks an LLM where the student is not sure.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    student (str): Name of the trained component before it: a ner, textcat, textcat_multilabel,
        spancat or spancat_singlelabel.
    task (Optional[Any]): From `@llm_tasks`: the task of the prompted component that the student
        replaces.
    model (Optional[Any]): From `@llm_models`; None if the LLM is off: texts below the threshold
        then keep the student's annotation and say so. Models of spacy-llm work too.
    threshold (float): Lowest probability that all of the student's annotation of a text is right at
        which the LLM is not asked, 0 (never) to above 1 (always).
    calibration (Optional[List[List[float]]]): Points of the curve from the student's own
        confidence to that probability, as `spacy hitl cascade` writes them.
    audit_share (float): Share of all texts, drawn at random, that the LLM is asked about as well,
        to see how often the two disagree. Their annotation stays the student's.
    queue (Optional[Path]): A dataset (.db): what was asked goes there for review.
    responses (Optional[Path]): A response store (.db): no question is asked twice.
    privacy (Dict[str, Any]): As [hitl.privacy]: mask, patterns, local_only.
    RETURNS (HitlCascade): The component. Nothing was read, written or sent yet.
    RAISES (InputError): If a value can't be used.
    """
    from pydantic import TypeAdapter, ValidationError

    from ...llm.adapter import as_model

    if not callable(getattr(task, "build_request", None)) or hasattr(task, "parts"):
        example = '@llm_tasks = "spacy-hitl.NER.v1"'
        raise InputError(Errors.H100.format(name=name, block="task", example=example))
    if not 0 <= audit_share <= 1:
        raise _unusable(name, "audit_share", audit_share, "a share from 0 to 1")
    if not threshold >= 0:
        raise _unusable(name, "threshold", threshold, "a number of 0 or more")
    try:
        rules = TypeAdapter(PrivacySettings).validate_python(privacy)
    except ValidationError as e:
        expected = f"what [hitl.privacy] holds ({e.errors()[0]['msg']})"
        raise _unusable(name, "privacy", privacy, expected) from e
    return HitlCascade(
        nlp,
        name,
        student=student,
        task=cast(Task, task),
        model=None if model is None else as_model(model, name=name),
        rules=Rules(
            threshold=threshold,
            calibration=_read_points(name, calibration or []),
            audit_share=audit_share,
            # spaCy hands paths of a config over as strings.
            queue=None if queue is None else Path(queue),
            responses=None if responses is None else Path(responses),
            privacy=rules,
        ),
    )


def _read_points(name: str, value: List[List[float]]) -> Points:
    points: List[Tuple[float, float]] = []
    for point in value:
        rising = len(point) == 2 and (
            not points or (point[0] > points[-1][0] and point[1] >= points[-1][1])
        )
        if not rising or not all(0 <= v <= 1 for v in point):
            expected = "[confidence, probability] pairs from 0 to 1, both rising"
            raise _unusable(name, "calibration", point, expected)
        points.append((float(point[0]), float(point[1])))
    return tuple(points)


def _unusable(name: str, field: str, value: Any, expected: str) -> InputError:
    return InputError(Errors.H563.format(name=name, field=field, value=value, expected=expected))


Language.factory(
    "hitl_cascade",
    default_config={
        "task": None,
        "model": None,
        "threshold": 0.5,
        "calibration": None,
        "audit_share": 0.0,
        "queue": None,
        "responses": None,
        "privacy": {},
    },
    func=make_hitl_cascade,
)
