"""The pipe `hitl_relations`: relates the mentions in doc.ents, and writes to doc._.rel."""

from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import logger
from spacy.vocab import Vocab
from thinc.api import Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ...errors import Errors, InputError
from ...records import Annotation, RelationAnnotation
from .examples import entity_labels, related_pairs, score_relations, targets_of, with_mentions
from .instances import InstanceGenerator, Instances, collect
from .model import RelationsModel

SAMPLE = 10  # examples that a model is initialised on
DIGITS = 4  # of a score on the Doc


class RelationExtractor(TrainablePipe):  # type: ignore[misc]
    """Relates the mentions that are in doc.ents. Several labels may hold for one pair.

    vocab (Vocab): The shared vocabulary.
    model (Model): From `spacy-hitl.Relations.v1`, or another with the same inputs and outputs.
    name (str): Name of the component; prefix of its scores.
    instances (InstanceGenerator): Chooses the pairs of mentions that are looked at.
    threshold (float): Lowest probability at which a relation holds.
    seen_pairs (bool): Look only at pairs of entity labels that were related in training.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: RelationsModel,
        name: str = "hitl_relations",
        *,
        instances: InstanceGenerator,
        threshold: float = 0.5,
        seen_pairs: bool = False,
    ) -> None:
        from ...tasks.relations.annotations import add_extension

        add_extension()
        self.vocab = vocab
        self.model = model
        self.name = name
        self.instances = instances
        self.cfg: Dict[str, Any] = {
            "labels": [],
            "ent_labels": [],  # entity labels that the model tells apart
            "pairs": [] if seen_pairs else None,  # of entity labels; None if any may be related
            "threshold": threshold,
        }

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The relation labels, in the order of the model's outputs."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """RETURNS (List[str]): What `spacy init labels` writes."""
        return list(self.labels)

    def add_label(self, label: str) -> int:
        """Add a relation label, before the model is initialised.

        label (str): The label.
        RETURNS (int): 0 if it was there already, else 1.
        """
        if label in self.labels:
            return 0
        self._allow_extra_label()
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def predict(self, docs: Iterable[Doc]) -> Tuple[Instances, Floats2d]:
        """Score the pairs of a batch. Documents without a pair cost nothing.

        docs (Iterable[Doc]): Documents with mentions in doc.ents, not changed.
        RETURNS (Tuple[Instances, Floats2d]): The pairs of all documents, and probabilities of shape
            (pairs, labels).
        """
        docs = list(docs)
        instances = self._collect(docs)
        if not len(instances):
            return instances, self.model.ops.alloc2f(0, len(self.labels))
        paired = [doc for doc, pairs in zip(docs, instances.pairs, strict=True) if pairs]
        scored = instances if len(paired) == len(docs) else self._collect(paired)
        return instances, self.model.predict((paired, scored))

    def set_annotations(
        self, docs: Iterable[Doc], instances_scores: Tuple[Instances, Floats2d]
    ) -> None:
        """Write relations to doc._.rel. Those with labels of other components stay.

        docs (Iterable[Doc]): The documents, changed in place.
        instances_scores (Tuple[Instances, Floats2d]): What `predict` gave.
        """
        from ...tasks.relations.annotations import set_relations

        instances, given = instances_scores
        ops: Any = self.model.ops
        scores = ops.to_numpy(given)
        start = 0
        for doc, pairs in zip(docs, instances.pairs, strict=True):
            rows = scores[start : start + len(pairs)]
            start += len(pairs)
            found = []
            for row, label in np.argwhere(rows >= self.cfg["threshold"]).tolist():
                head, tail = pairs[row]
                found.append(
                    RelationAnnotation(
                        *(head.start_char, head.end_char, tail.start_char, tail.end_char),
                        label=self.labels[label],
                        score=round(float(rows[row, label]), DIGITS),
                    )
                )
            set_relations(doc, Annotation(relations=tuple(found)), self.labels)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch.

        examples (Iterable[Example]): The references have doc._.rel. The mentions are those of the
            predicted documents; where nothing said which there are, those of the reference.
        drop (float): Dropout rate, 0 to 1.
        sgd (Optional[Optimizer]): The optimizer; without one, gradients are kept.
        losses (Optional[Dict[str, float]]): Losses by component, added to.
        RETURNS (Dict[str, float]): The losses: the cross-entropy summed over pairs and labels.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "RelationExtractor.update")
        if not any(len(eg.predicted) for eg in examples):
            return losses
        docs = [with_mentions(eg) for eg in examples]
        instances = self._collect(docs)
        set_dropout_rate(self.model, drop)
        # Without a pair too: a shared tok2vec waits for the gradients of all its listeners.
        scores, backprop = self.model.begin_update((docs, instances))
        loss, d_scores = self.get_loss(examples, (instances, scores))
        backprop(d_scores)
        if sgd:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(
        self, examples: Iterable[Example], instances_scores: Tuple[Instances, Floats2d]
    ) -> Tuple[float, Floats2d]:
        """Compare scores with what is right. A pair that has no relation in the reference has none.

        examples (Iterable[Example]): The batch.
        instances_scores (Tuple[Instances, Floats2d]): Its pairs and their probabilities.
        RETURNS (Tuple[float, Floats2d]): Cross-entropy, and its gradient before the logistic.
        """
        instances, scores = instances_scores
        references = [eg.reference for eg in examples]
        target = targets_of(references, instances, self.labels)
        ops: Any = self.model.ops
        found = ops.to_numpy(scores)
        right = np.where(target > 0, found, 1 - found)
        loss = -float(np.log(np.maximum(right, 1e-7)).sum())
        return loss, ops.asarray2f(found - target)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
    ) -> None:
        """Find labels and sizes on a sample of the examples.

        get_examples (Callable[[], Iterable[Example]]): Gives the examples.
        nlp (Optional[Language]): The pipeline: its other components may bring entity labels.
        labels (Optional[List[str]]): Relation labels; those of the examples if not given.
        RAISES (InputError): If no example has a relation, or none between mentions that are paired.
        """
        from ...tasks.relations.annotations import get_relations

        validate_get_examples(get_examples, "RelationExtractor.initialize")
        total, examples = 0, []
        for eg in get_examples():
            total += 1
            if get_relations(eg.reference).relations:
                examples.append(eg)
                with_mentions(eg)
        wanted = {r.label for eg in examples for r in get_relations(eg.reference).relations}
        for label in sorted(wanted) if labels is None else labels:
            self.add_label(label)
        if not examples or not self.labels:
            raise InputError(Errors.H330.format(name=self.name, total=total))
        self.cfg["ent_labels"] = entity_labels((eg.predicted for eg in examples), nlp)
        if self.cfg["pairs"] is not None:
            self.cfg["pairs"] = related_pairs(examples, self.labels)
        reached = self._reached(examples)
        if not any(reached):
            raise InputError(Errors.H331.format(name=self.name, example=examples[0].text[:80]))
        logger.info(
            "'%s': %d of %d texts have relations, all reached in %d of them",
            *(self.name, len(examples), total, sum(r == 1 for r in reached)),
        )
        sample = [eg for eg, share in zip(examples, reached, strict=True) if share]
        docs = [eg.predicted for eg in islice(sample, SAMPLE)]
        instances = self._collect(docs)
        target = self.model.ops.alloc2f(len(instances), len(self.labels))
        self.model.initialize(X=(docs, instances), Y=target)

    def score(self, examples: Iterable[Example], **_: Any) -> Dict[str, Any]:
        """Compare head, tail and label of the relations found with those of the reference.

        examples (Iterable[Example]): Annotated by the pipeline.
        RETURNS (Dict[str, Any]): `rel_micro_p`, `rel_micro_r`, `rel_micro_f` and `rel_f_per_type`,
            and the same with the component's name in front, which tell several components apart.
        """
        scores = score_relations(examples, self.labels)
        return {**scores, **{f"{self.name}_{key}": value for key, value in scores.items()}}

    def _collect(self, docs: Sequence[Doc]) -> Instances:
        pairs: Optional[List[List[str]]] = self.cfg["pairs"]
        allowed: Optional[Set[Tuple[str, str]]] = None
        if pairs is not None:
            allowed = {(head, tail) for head, tail in pairs}
        return collect(docs, self.instances, ent_labels=self.cfg["ent_labels"], allowed=allowed)

    def _reached(self, examples: Sequence[Example]) -> List[float]:
        """RETURNS (List[float]): By example, how much of its relations is among the pairs."""
        from ...tasks.relations.annotations import get_relations

        shares = []
        for eg in examples:
            wanted = get_relations(eg.reference, self.labels).relations
            target = targets_of([eg.reference], self._collect([eg.predicted]), self.labels)
            shares.append(float(target.sum()) / max(1, len(wanted)))
        return shares
