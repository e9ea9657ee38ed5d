"""`spacy-hitl.Relations.v1`: from documents and pairs of mentions to a probability per label.

Head, tail and what stands between them are pooled from the token vectors, put side by side with
what is known of the pair (entity labels, distance, order), and classified. Each mention and each
stretch is pooled once, in however many pairs it takes part. Compare the span-pair classifier of
Eberts and Ulges (Span-based Joint Entity and Relation Extraction, 2020).
"""

from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Linear, Maxout, Model, chain
from thinc.types import Floats2d, Ragged

from .instances import Instances

Inputs = Tuple[List[Doc], Instances]
RelationsModel = Model[Inputs, Floats2d]


def build_relations_model(
    tok2vec: Model[List[Doc], List[Floats2d]],
    mentions: Model[Ragged, Floats2d],
    between: Model[Ragged, Floats2d],
    hidden_size: int = 64,
    dropout: float = 0.0,
    nO: Optional[int] = None,
) -> RelationsModel:
    """Build the model of a relation component.

    tok2vec (Model[List[Doc], List[Floats2d]]): Token vectors; may be a listener.
    mentions (Model[Ragged, Floats2d]): Reduces the vectors of a mention to one.
    between (Model[Ragged, Floats2d]): Reduces the vectors of what stands between two mentions. If
        nothing does, it gets one vector of zeros.
    hidden_size (int): Units of the layer below the output.
    dropout (float): Dropout rate of that layer, 0 to 1; set anew by `[training] dropout`.
    nO (Optional[int]): Number of labels, found when the model is initialised.
    RETURNS (Model[Tuple[List[Doc], Instances], Floats2d]): The model. Its output is a probability
        by pair and label; its way back takes the gradient of cross-entropy, scores - targets.
    """
    hidden: Any = Maxout(nO=hidden_size, nP=3, normalize=True, dropout=dropout)
    output: Any = Linear(nO=nO)
    scorer: Any = chain(hidden, output)
    model: RelationsModel = Model(
        "hitl_relations",
        forward,
        init=init,
        layers=[tok2vec, mentions, between, scorer],
        dims={"nO": nO},
    )
    for name, layer in zip(("tok2vec", "mentions", "between", "scorer"), model.layers, strict=True):
        model.set_ref(name, layer)
    model.set_ref("output_layer", output)
    return model


def init(model: RelationsModel, X: Optional[Inputs] = None, Y: Optional[Floats2d] = None) -> None:
    """Find the sizes of all layers on a sample.

    model (Model): The model.
    X (Optional[Tuple[List[Doc], Instances]]): Documents and their pairs, at least one.
    Y (Optional[Floats2d]): An array of shape (pairs, labels).
    """
    tok2vec, mentions, between, scorer = model.layers
    if Y is not None and model.has_dim("nO") is None:
        model.set_dim("nO", Y.shape[1])
    if X is None:
        for layer in model.layers:
            layer.initialize()
        return
    docs, instances = X
    ops: Any = model.ops
    tok2vec.initialize(X=docs)
    rows: Any = _with_zeros(model, tok2vec.predict(docs))
    pooled = []
    for layer, places in ((mentions, instances.mentions), (between, instances.gaps)):
        at, lengths = token_rows(places, empty=len(rows) - 1)
        ragged = Ragged(rows[ops.asarray1i(at)], ops.asarray1i(lengths))
        layer.initialize(X=ragged)
        pooled.append(layer.predict(ragged))
    scorer.initialize(X=_join(model, pooled[0], pooled[1], instances), Y=Y)


def forward(
    model: RelationsModel, inputs: Inputs, is_train: bool
) -> Tuple[Floats2d, Callable[[Floats2d], Inputs]]:
    """Score pairs.

    model (Model): The model.
    inputs (Tuple[List[Doc], Instances]): Documents and their pairs.
    is_train (bool): Whether there will be a way back.
    RETURNS (Tuple[Floats2d, Callable]): Probabilities of shape (pairs, labels), and the way back.
    """
    docs, instances = inputs
    ops: Any = model.ops
    tok2vec, mentions, between, scorer = model.layers
    token_vectors, backprop_tok2vec = tok2vec(docs, is_train)
    rows: Any = _with_zeros(model, token_vectors)
    pooled = []
    if len(instances):
        for layer, places in ((mentions, instances.mentions), (between, instances.gaps)):
            at, lengths = token_rows(places, empty=len(rows) - 1)
            index = ops.asarray1i(at)
            vectors, way_back = layer(Ragged(rows[index], ops.asarray1i(lengths)), is_train)
            pooled.append((vectors, way_back, index))
        joined = _join(model, pooled[0][0], pooled[1][0], instances)
        logits, backprop_scorer = scorer(joined, is_train)
        scores = ops.sigmoid(logits)
    else:
        scores = ops.alloc2f(0, model.get_dim("nO"))

    def backprop(d_scores: Floats2d) -> Inputs:
        d_rows: Any = ops.alloc2f(*rows.shape)
        if len(instances):
            d_joined: Any = backprop_scorer(d_scores)
            (d_mentions, d_gaps), start = (ops.alloc2f(*p[0].shape) for p in pooled), 0
            for target, which in (
                (d_mentions, instances.heads),
                (d_mentions, instances.tails),
                (d_gaps, instances.between),
            ):
                part = ops.xp.ascontiguousarray(d_joined[:, start : start + target.shape[1]])
                ops.scatter_add(target, ops.asarray1i(which), part)
                start += target.shape[1]
            for d_vectors, (_, way_back, index) in zip((d_mentions, d_gaps), pooled, strict=True):
                ops.scatter_add(d_rows, index, way_back(d_vectors).dataXd)
        # The last row stands for "nothing between": it is no token.
        lengths = ops.asarray1i([len(doc) for doc in docs])
        backprop_tok2vec(ops.unflatten(d_rows[:-1], lengths))
        return inputs

    return scores, backprop


def _with_zeros(model: RelationsModel, token_vectors: List[Floats2d]) -> Floats2d:
    """RETURNS (Floats2d): The vectors of all tokens of the batch, and one of zeros behind them."""
    xp: Any = model.ops.xp
    width = token_vectors[0].shape[1]
    rows: Floats2d = xp.concatenate([*token_vectors, xp.zeros((1, width), dtype="f")])
    return rows


def _join(model: RelationsModel, vectors: Any, gaps: Any, instances: Instances) -> Floats2d:
    """RETURNS (Floats2d): Head, tail, what stands between and features of each pair in one row."""
    ops: Any = model.ops
    parts = [
        vectors[ops.asarray1i(instances.heads)],
        vectors[ops.asarray1i(instances.tails)],
        gaps[ops.asarray1i(instances.between)],
        ops.asarray2f(instances.features),
    ]
    joined: Floats2d = ops.xp.concatenate(parts, axis=1)
    return joined


def token_rows(places: np.ndarray, *, empty: int) -> Tuple[np.ndarray, np.ndarray]:
    """List the tokens of spans.

    places (ndarray): Start and end of each span, end exclusive; int32 of shape (spans, 2).
    empty (int): The row that stands for a span without tokens.
    RETURNS (Tuple[ndarray, ndarray]): The rows of all spans, one span after the other, and the
        length of each, at least 1; int32.

    >>> rows, lengths = token_rows(np.array([[2, 5], [4, 4], [0, 1]]), empty=9)
    >>> rows.tolist(), lengths.tolist()
    ([2, 3, 4, 9, 0], [3, 1, 1])
    """
    starts, lengths = places[:, 0], places[:, 1] - places[:, 0]
    starts = np.where(lengths > 0, starts, empty)
    lengths = np.maximum(lengths, 1)
    ends = np.cumsum(lengths)
    rows = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
    return rows.astype("int32"), lengths.astype("int32")
