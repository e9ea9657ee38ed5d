"""Which pairs of mentions are looked at, and what is known of a pair beside the words."""

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np
from spacy.tokens import Doc, Span

Pair = Tuple[Span, Span]  # head, tail
InstanceGenerator = Callable[[Doc], Iterable[Pair]]

# Lower bounds of the steps of a distance, in tokens between two mentions: 0, 1, 2, 3 to 4, ...
DISTANCES = np.array([0, 1, 2, 3, 5, 9, 17, 33])
BETWEEN = 2  # "none", "one" or "two and more" mentions between the two


@dataclass(frozen=True)
class Instances:
    """The pairs of a batch of documents, each mention and each stretch between two listed once.

    mentions, gaps (ndarray): Start and end in tokens of the batch, end exclusive, int32 of shape
        (mentions, 2) and (gaps, 2). A gap without tokens has start equal to end.
    heads, tails, between (ndarray): Rows of `mentions` and `gaps` by pair, int32 of shape (pairs,).
    features (ndarray): What is known beside the words, float32 of shape (pairs, features).
    pairs (Tuple[Tuple[Pair, ...], ...]): Head and tail of each pair by document, in this order.
    """

    mentions: np.ndarray
    gaps: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    between: np.ndarray
    features: np.ndarray
    pairs: Tuple[Tuple[Pair, ...], ...]

    def __len__(self) -> int:
        return len(self.heads)


def make_mention_pairs(max_distance: Optional[int] = 40) -> InstanceGenerator:
    """Make the generator of instances: every ordered pair of mentions in doc.ents.

    max_distance (Optional[int]): Most tokens between the two; None for any number.
    RETURNS (InstanceGenerator): From a document to pairs of head and tail.
    """

    def mention_pairs(doc: Doc) -> List[Pair]:
        pairs: List[Pair] = []
        mentions = doc.ents  # in the order of the text, without overlap
        starts = [ent.start for ent in mentions]
        for i, one in enumerate(mentions):
            last = len(doc) if max_distance is None else one.end + max_distance
            for j in range(i + 1, len(mentions)):
                if starts[j] > last:
                    break
                pairs += ((one, mentions[j]), (mentions[j], one))
        return pairs

    return mention_pairs


def collect(
    docs: Sequence[Doc],
    generate: InstanceGenerator,
    *,
    ent_labels: Sequence[str],
    allowed: Optional[Set[Tuple[str, str]]] = None,
) -> Instances:
    """List the pairs of a batch.

    docs (Sequence[Doc]): Documents with mentions in doc.ents.
    generate (InstanceGenerator): Chooses the pairs of a document.
    ent_labels (Sequence[str]): Entity labels that are told apart; all others count as one.
    allowed (Optional[Set[Tuple[str, str]]]): Entity labels of head and tail; other pairs are left
        out. All are taken if not given.
    RETURNS (Instances): The pairs, in the order of the documents and of the generator.
    """
    mentions: Dict[Tuple[int, ...], int] = {}  # start, end, entity label, place among the mentions
    ends: List[int] = []  # rows of heads and tails in turn
    by_doc: List[Tuple[Pair, ...]] = []
    number = {label: i for i, label in enumerate(ent_labels, start=1)}
    offset = 0
    for doc in docs:
        given = tuple(generate(doc))
        # Not from doc.ents: that takes a look at each token.
        ordinal = {s: i for i, s in enumerate(sorted({m.start for pair in given for m in pair}))}
        kept = given
        if allowed is not None:
            kept = tuple(p for p in given if (p[0].label_, p[1].label_) in allowed)
        for span in (span for pair in kept for span in pair):
            start, label = span.start, number.get(span.label_, 0)
            mention = (start + offset, span.end + offset, label, ordinal[start])
            ends.append(mentions.setdefault(mention, len(mentions)))
        by_doc.append(kept)
        offset += len(doc)
    table = np.array(list(mentions), dtype="int32").reshape(-1, 4)
    heads, tails = np.array(ends, dtype="int32").reshape(-1, 2).T
    gaps, between, features = _relate(table[heads], table[tails], len(ent_labels))
    return Instances(
        mentions=table[:, :2],
        gaps=gaps,
        heads=np.ascontiguousarray(heads),
        tails=np.ascontiguousarray(tails),
        between=between,
        features=features,
        pairs=tuple(by_doc),
    )


def _relate(
    heads: np.ndarray, tails: np.ndarray, n_labels: int
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say what stands between heads and tails, each stretch once, and what is known of the pairs.

    heads, tails (ndarray): Start, end, entity label and place among the mentions of the document,
        int32 of shape (pairs, 4).
    RETURNS (Tuple[ndarray, ndarray, ndarray]): `gaps`, `between` and `features` of `Instances`.
    """
    forward = heads[:, 0] <= tails[:, 0]
    starts = np.where(forward, heads[:, 1], tails[:, 1])
    ends = np.maximum(starts, np.maximum(heads[:, 0], tails[:, 0]))
    places = np.stack([starts, ends], axis=1)
    gaps, between = np.unique(places, axis=0, return_inverse=True)
    others = np.abs(heads[:, 3] - tails[:, 3]) - 1
    facts = np.stack([heads[:, 2], tails[:, 2], ends - starts, others, forward], axis=1)
    return gaps, between.reshape(-1).astype("int32"), features_of(facts, n_labels)


def features_of(facts: np.ndarray, n_labels: int) -> np.ndarray:
    """Turn what is known of each pair into numbers between 0 and 1.

    facts (ndarray): Whole numbers of shape (pairs, 5): numbers of the entity labels of head and
        tail (0 if they are not told apart), tokens between them, mentions between them, 1 if the
        head stands before the tail.
    n_labels (int): How many entity labels are told apart.
    RETURNS (ndarray): float32 of shape (pairs, 2 * (n_labels + 1) + len(DISTANCES) + BETWEEN + 2).
    """
    heads, tails, distances, others, forward = facts.T
    steps = np.searchsorted(DISTANCES, distances, side="right") - 1
    parts = [
        np.eye(n_labels + 1, dtype="f")[heads],
        np.eye(n_labels + 1, dtype="f")[tails],
        np.eye(len(DISTANCES), dtype="f")[steps],
        np.eye(BETWEEN + 1, dtype="f")[np.clip(others, 0, BETWEEN)],
        forward.astype("f")[:, None],
    ]
    features: np.ndarray = np.concatenate(parts, axis=1)
    return features
