"""`spacy-hitl.EntityLabels.v1`: the labels of a task for `[initialize.components.NAME.labels]`."""

from typing import Dict, List

# Numbers of the actions of spaCy's entity recognizer (spacy/pipeline/_parser_internals/ner.pyx).
BEGIN, IN, LAST, UNIT, OUT = (1, 2, 3, 4, 5)


def make_entity_labels(labels: List[str]) -> Dict[int, Dict[str, int]]:
    """Make what a `ner` is initialised with, instead of what happens to stand in its examples.

    A label that no decided text has would else never be learned from proposals: spaCy takes an
    unknown label for an unknown annotation. The order of the labels is the task's.

    labels (List[str]): Entity labels.
    RETURNS (Dict[int, Dict[str, int]]): Frequencies of labels by action, as in `label_data` of a
        trained `ner`. All are equally frequent.
    """
    actions = {action: dict.fromkeys(labels, 1) for action in (BEGIN, IN, LAST, UNIT)}
    actions[UNIT][""] = 1  # a token that is no entity by itself
    return {**actions, OUT: {"": 1}}
