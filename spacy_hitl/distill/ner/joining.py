"""Several recognizers in one `ner`: an ensemble that is saved, loaded and run by plain spaCy.

The scores of a joined model are the mean of its members' scores, exactly. The rows of the members'
encoders stand side by side (thinc's `concatenate`), every later layer keeps them apart (its weights
are zero across members), and the last one averages. Averaging models that differ only in their
random start makes the errors of small ones smaller (Lakshminarayanan, Pritzel and Blundell, "Simple
and Scalable Predictive Uncertainty Estimation using Deep Ensembles", NeurIPS 2017).
"""

from typing import Any, Dict, List, Sequence

import numpy as np

from ...errors import Errors, InputError


def member_models(config: Dict[str, Any], *, name: str) -> List[Dict[str, Any]]:
    """Take the config of a joined model apart.

    config (Dict[str, Any]): Of the model: a spacy.TransitionBasedParser.v2 whose tok2vec is a
        concatenate.v1 of encoders of one width.
    name (str): Of the component, for messages.
    RETURNS (List[Dict[str, Any]]): A config for each member: one encoder and its share of the
        hidden layer.
    RAISES (InputError): If it has another form.
    """
    tok2vec = config.get("tok2vec", {})
    parts = list(tok2vec.get("*", {}).values())
    if tok2vec.get("@layers") != "concatenate.v1" or len(parts) < 2:
        problem = "its tok2vec is no concatenate.v1 of at least two encoders"
        raise InputError(Errors.H380.format(name=name, problem=problem))
    if not config.get("use_upper"):
        raise InputError(Errors.H380.format(name=name, problem="use_upper is false"))
    hidden = int(config["hidden_width"])
    if hidden % len(parts):
        problem = f"hidden_width = {hidden} can't be shared out to {len(parts)} encoders"
        raise InputError(Errors.H380.format(name=name, problem=problem))
    return [{**config, "tok2vec": part, "hidden_width": hidden // len(parts)} for part in parts]


def join(model: Any, members: Sequence[Any]) -> None:
    """Give a joined model the parameters of its members.

    model (Model): Of a `ner`, initialised; changed in place.
    members (Sequence[Model]): In the order of its encoders, with the same actions.
    """
    encoder, lower, upper = model.layers
    for part, member in zip(encoder.layers[0].layers, members, strict=True):
        _copy(_body(member.layers[0]), part)
    links = [_link(member.layers[0]) for member in members]
    lowers = [member.layers[1] for member in members]
    uppers = [member.layers[2] for member in members]
    link = _link(encoder)
    link.set_param("W", _blocks([layer.get_param("W") for layer in links]))
    link.set_param("b", np.concatenate([layer.get_param("b") for layer in links]))
    lower.set_param("W", _features([layer.get_param("W") for layer in lowers]))
    lower.set_param("b", np.concatenate([layer.get_param("b") for layer in lowers]))
    lower.set_param("pad", np.concatenate([layer.get_param("pad") for layer in lowers], axis=2))
    scores = [layer.get_param("W") / len(uppers) for layer in uppers]
    upper.set_param("W", np.ascontiguousarray(np.hstack(scores)))
    upper.set_param("b", np.mean([layer.get_param("b") for layer in uppers], axis=0))
    # Actions that no example had are kept at the lowest score: the same ones for all.
    model.attrs["unseen_classes"] = set(members[0].attrs["unseen_classes"])


def _blocks(matrices: Sequence[Any]) -> Any:
    """RETURNS (Floats2d): The matrices along the diagonal, zeros elsewhere."""
    outputs, inputs = (sum(m.shape[axis] for m in matrices) for axis in (0, 1))
    joined = np.zeros((outputs, inputs), dtype="float32")
    row = column = 0
    for matrix in matrices:
        joined[row : row + matrix.shape[0], column : column + matrix.shape[1]] = matrix
        row, column = row + matrix.shape[0], column + matrix.shape[1]
    return joined


def _features(weights: Sequence[Any]) -> Any:
    """RETURNS (Floats4d): Shape (features, units, pieces, inputs); blocks of units and inputs."""
    features, _, pieces, _ = weights[0].shape
    joined = [
        np.stack([_blocks([w[f, :, p] for w in weights]) for p in range(pieces)], axis=1)
        for f in range(features)
    ]
    return np.ascontiguousarray(np.stack(joined))


def _link(encoder: Any) -> Any:
    """RETURNS (Model): The linear layer between the encoder and the states: it comes last."""
    return encoder.layers[-1]


def _body(encoder: Any) -> List[Any]:
    link = _link(encoder)
    return [node for node in encoder.walk(order="dfs_pre") if node.param_names and node is not link]


def _copy(sources: Sequence[Any], part: Any) -> None:
    targets = [node for node in part.walk(order="dfs_pre") if node.param_names]
    for source, target in zip(sources, targets, strict=True):
        for name in source.param_names:
            target.set_param(name, source.get_param(name).copy())
