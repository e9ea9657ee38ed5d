"""What a student should predict, and how far it is from that: arithmetic on probabilities.

A distribution is softened by a temperature and several teachers are averaged; the student follows
the cross-entropy (Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015).
"""

from typing import Any, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

TINY = 1e-6  # probabilities are kept this far from 0 and 1 where a logarithm is taken


def softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    """RETURNS (Floats): Shape as `scores`, rows sum to 1; flatter the higher the temperature."""
    shifted = (scores - scores.max(axis=-1, keepdims=True)) / temperature
    powers = np.exp(shifted)
    found: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return found


def soften(probabilities: Floats, temperature: float, *, exclusive: bool) -> Floats:
    """Soften probabilities as if their logits had been divided by the temperature.

    probabilities (Floats): Shape (rows, classes).
    temperature (float): Above 0; 1 changes nothing.
    exclusive (bool): If set, a row is one distribution, else each value is one.
    RETURNS (Floats): The same shape.

    >>> soften(np.array([[0.8, 0.2]]), 2.0, exclusive=True).round(3).tolist()
    [[0.667, 0.333]]
    """
    if temperature == 1.0:
        return probabilities
    kept = np.clip(probabilities, TINY, 1 - TINY)
    if exclusive:
        return softmax(np.log(kept), temperature)
    found: Floats = 1 / (1 + ((1 - kept) / kept) ** (1 / temperature))
    return found


def average(distributions: Sequence[Floats]) -> Floats:
    """RETURNS (Floats): The mean of the teachers' distributions, each with the same weight."""
    found: Floats = np.mean(np.stack(distributions), axis=0)
    return found


def divergence(predicted: Floats, wanted: Floats, *, exclusive: bool) -> float:
    """Measure how far predictions are from what is wanted.

    predicted, wanted (Floats): Shape (rows, classes), probabilities.
    exclusive (bool): If set, a row is one distribution, else each value is one.
    RETURNS (float): Kullback-Leibler divergence in nats, summed up; 0 if they are equal.
    """
    p, q = (np.clip(values.astype("float64"), TINY, 1) for values in (predicted, wanted))
    total = float((q * np.log(q / p)).sum())
    if not exclusive:
        p, q = (np.clip(1 - v.astype("float64"), TINY, 1) for v in (predicted, wanted))
        total += float((q * np.log(q / p)).sum())
    return total


def through_logistic(gradient: Floats, predicted: Floats) -> Floats:
    """Turn the gradient of logits into one that a logistic layer turns back.

    spaCy's components for several labels end in a logistic layer, which multiplies what it gets
    by p * (1 - p): with this, what arrives below is the gradient of the cross-entropy.

    gradient (Floats): Wanted at the logits.
    predicted (Floats): Output of the layer.
    RETURNS (Floats): What to give to the layer.
    """
    found: Floats = gradient / np.maximum(predicted * (1 - predicted), TINY)
    return found
