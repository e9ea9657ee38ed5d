"""Train a text classifier that pools token vectors on stretches of text instead of whole texts.

The encoder sees the whole text once; each segment is pooled from its tokens' rows (maximum and
mean) and classified. A whole text is one segment more, so that what is learned from phrases in
their context holds for whole texts. The result is an ordinary spacy.TextCatReduce.v1.
"""

import random
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.util import logger
from thinc.api import Linear, Model, fix_random_seed

from ..optimizer import make_adam
from .rationales import Floats, SegmentedText

Ints = NDArray[np.int64]
Pooled = Tuple[Floats, Callable[[Floats], Floats]]


def pool(rows: Floats, starts: Ints, ends: Ints) -> Pooled:
    """Pool token vectors over segments.

    rows (Floats): Shape (tokens, width).
    starts (Ints): Shape (segments,): first row of each segment.
    ends (Ints): Shape (segments,): row after its last.
    RETURNS (Pooled): Shape (segments, 2 * width), maximum then mean; and the function that turns
        the gradient of that into the gradient of the rows.
    """
    width = rows.shape[1]
    columns = np.arange(width)
    pairs = list(zip(starts, ends, strict=True))
    best = np.stack([rows[s:e].argmax(axis=0) + s for s, e in pairs])
    sums = np.vstack([np.zeros((1, width)), np.cumsum(rows, axis=0, dtype=np.float64)])
    lengths = (ends - starts)[:, None]
    means = ((sums[ends] - sums[starts]) / lengths).astype(np.float32)
    pooled = np.hstack([rows[best, columns], means])

    def backprop(gradient: Floats) -> Floats:
        result = np.zeros_like(rows)
        np.add.at(result, (best, np.broadcast_to(columns, best.shape)), gradient[:, :width])
        steps = np.zeros((len(rows) + 1, width), dtype=np.float32)
        share = gradient[:, width:] / lengths
        np.add.at(steps, starts, share)
        np.add.at(steps, ends, -share)
        total: Floats = result + np.cumsum(steps, axis=0)[:-1]
        return total

    return pooled, backprop


def train_on_segments(
    model: Model[Any, Any],
    texts: Sequence[SegmentedText],
    *,
    groups: Sequence[Sequence[int]] = (),
    epochs: int = 14,
    batch_size: int = 32,
    learn_rate: float = 0.004,
    dropout: float = 0.2,
    pooled_dropout: float = 0.3,
    joined_weight: float = 0.5,
    seed: int = 0,
) -> None:
    """Train a spacy.TextCatReduce.v1 that reduces by maximum and mean.

    model (Model): Changed in place. If its tok2vec is a concatenation, each of its parts is
        trained by itself, with noise of its own; the average of their predictions is then exactly
        one linear layer over the concatenation: an ensemble in one model.
    texts (Sequence[SegmentedText]): What to learn.
    groups (Sequence[Sequence[int]]): Labels that belong together; "any of these" is learned
        beside them, which steadies the encoder, and is thrown away afterwards.
    epochs (int): Passes over the texts.
    batch_size (int): Texts per update.
    learn_rate (float): Peak rate of Adam; rises over the first 6% of the steps, then falls.
    dropout (float): In the encoder.
    pooled_dropout (float): On the pooled vectors.
    joined_weight (float): Weight of two or three texts read as one, with the labels of all.
    seed (int): Of order, noise and the classifier.
    """
    tok2vec, output = model.get_ref("tok2vec"), model.get_ref("output_layer")
    parts = list(tok2vec.layers) if tok2vec.name.startswith("concat") else [tok2vec]
    labels = int(output.get_dim("nO"))
    weights, biases = [], []
    for number, part in enumerate(parts):
        trainer = _PartTrainer(part, labels, groups, seed=seed + number)
        trainer.dropouts = (dropout, pooled_dropout)
        trainer.train(
            [t for t in texts if len(t.doc)], epochs, batch_size, learn_rate, joined_weight
        )
        weights.append(trainer.linear.get_param("W")[:labels] / len(parts))
        biases.append(trainer.linear.get_param("b")[:labels] / len(parts))
    halves = [w.shape[1] // 2 for w in weights]
    maxima = [w[:, :half] for w, half in zip(weights, halves, strict=True)]
    means = [w[:, half:] for w, half in zip(weights, halves, strict=True)]
    folded: Any = np.ascontiguousarray(np.hstack(maxima + means))
    output.set_param("W", folded)
    output.set_param("b", np.sum(biases, axis=0))


class _PartTrainer:
    """Trains one tok2vec with a pooled linear classifier of its own."""

    def __init__(
        self, tok2vec: Model[Any, Any], labels: int, groups: Sequence[Sequence[int]], *, seed: int
    ) -> None:
        fix_random_seed(seed)
        self.tok2vec = tok2vec
        self.groups = groups
        self.labels = labels
        self.order = random.Random(seed)  # noqa: S311
        self.noise = np.random.default_rng(seed)
        self.dropouts = (0.2, 0.3)
        width = 2 * int(tok2vec.get_dim("nO"))
        self.linear: Model[Any, Any] = Linear(labels + len(groups), width).initialize()

    def train(
        self,
        texts: List[SegmentedText],
        epochs: int,
        batch_size: int,
        learn_rate: float,
        joined_weight: float,
    ) -> None:
        optimizer = make_adam(learn_rate)
        rates = [
            (n, n.attrs["dropout_rate"]) for n in self.tok2vec.walk() if "dropout_rate" in n.attrs
        ]
        for node, _ in rates:
            node.attrs["dropout_rate"] = self.dropouts[0]
        total, step = epochs * -(-len(texts) // batch_size), 0
        for epoch in range(epochs):
            self.order.shuffle(texts)
            loss = 0.0
            for at in range(0, len(texts), batch_size):
                loss += self._update(texts[at : at + batch_size], joined_weight)
                step += 1
                slope = min(1.0, step / (0.06 * total)) * (1 - step / total)
                optimizer.learn_rate = learn_rate * max(0.05, slope)
                self.tok2vec.finish_update(optimizer)
                self.linear.finish_update(optimizer)
            logger.info("Segments: epoch %d of %d, loss %.3f", epoch + 1, epochs, loss)
        for node, rate in rates:
            node.attrs["dropout_rate"] = rate

    def _update(self, batch: List[SegmentedText], joined_weight: float) -> float:
        starts, ends, targets, weights = self._layout(batch, joined_weight)
        rows, backprop_rows = self.tok2vec.begin_update([t.doc for t in batch])
        pooled, backprop_pool = pool(np.vstack(rows), starts, ends)
        keep = 1 - self.dropouts[1]
        mask = (self.noise.random(pooled.shape) < keep).astype(np.float32) / keep
        scores, backprop_linear = self.linear.begin_update(pooled * mask)
        wrong = 1 / (1 + np.exp(-scores)) - self._with_groups(targets)
        # Cross-entropy, weighted by segment. spaCy's own textcat uses the squared error.
        gradient = (wrong * weights / weights.sum() * self.labels).astype(np.float32)
        per_row = backprop_pool(backprop_linear(gradient) * mask)
        lengths = np.cumsum([len(t.doc) for t in batch])[:-1]
        backprop_rows(np.split(per_row, lengths))
        return float((wrong**2).mean())

    def _layout(
        self, batch: List[SegmentedText], joined_weight: float
    ) -> Tuple[Ints, Ints, Floats, Floats]:
        """Where the segments of a batch are in the rows of all its texts, one after the other."""
        starts, ends, targets, weights = [], [], [], []
        offset = 0
        wholes = []
        for text in batch:
            for segment in text.segments:
                starts.append(offset + segment.start)
                ends.append(offset + segment.end)
                targets.append(segment.target)
                weights.append(1.0)
            wholes.append((offset, offset + len(text.doc), text.segments[0].target))
            offset += len(text.doc)
        at = 0
        while joined_weight and at < len(wholes) - 1:
            joined = wholes[at : at + self.order.randint(2, 3)]
            starts.append(joined[0][0])
            ends.append(joined[-1][1])
            targets.append(np.max([target for _, _, target in joined], axis=0))
            weights.append(joined_weight)
            at += len(joined)
        column: Floats = np.asarray(weights, dtype=np.float32)[:, None]
        return np.asarray(starts), np.asarray(ends), np.asarray(targets), column

    def _with_groups(self, targets: Floats) -> Floats:
        if not self.groups:
            return targets
        anyof = [targets[:, list(g)].max(axis=1, keepdims=True) for g in self.groups]
        return np.hstack([targets, *anyof])
