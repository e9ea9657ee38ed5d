"""The recipe `transformer`: a student that listens to a pretrained transformer.

The transformer is a component of spacy-curated-transformers beside the student; both learn.
Promoted, the pipeline needs that package and torch, but neither transformers nor spacy-hitl.
"""

from typing import Any, Dict, NoReturn, Tuple

from confection import Config

from ..._compat import require
from ...errors import Errors, InputError
from . import COMPONENTS
from .tok2vec import Size

NAME = "transformer"  # of the component
EXTRA = "transformer-students"
PACKAGE = "spacy-curated-transformers"
# By type of the pretrained model: architecture, its pieces of words, and who reads them.
TYPES: Dict[str, Tuple[str, str, Dict[str, str]]] = {
    "bert": (
        "BertTransformer.v1",
        "BertWordpieceEncoder.v1",
        {"@model_loaders": f"{PACKAGE}.HFPieceEncoderLoader.v1"},
    ),
    "roberta": (
        "RobertaTransformer.v1",
        "ByteBpeEncoder.v1",
        {"@misc": "spacy-hitl.BytePieces.v1"},
    ),
}
WINDOW = 128  # pieces that the transformer sees at once
MAX_STEPS = 4000


def transformer_config(
    kind: str, *, name: str, task: str, lang: str = "en", spans_key: str = "sc"
) -> Config:
    """Make the pipeline part of a config, and what loads the pretrained weights.

    kind (str): Factory of the student.
    name (str): Folder of a pretrained BERT or RoBERTa, or its name on the hub.
    task (str): Name of the student's component.
    lang (str): Code of the language.
    spans_key (str): Where a spancat student writes.
    RETURNS (Config): Sections nlp, components and initialize.
    RAISES (InputError): If packages are missing, or the model can't be read or used.
    """
    pretrained = read_pretrained(name)
    architecture, pieces, loader = TYPES[pretrained["model_type"]]
    model = {
        "@architectures": f"{PACKAGE}.{architecture}",
        **model_settings(pretrained),
        "piece_encoder": {"@architectures": f"{PACKAGE}.{pieces}"},
    }
    window = min(WINDOW, model["model_max_length"])
    model["with_spans"] = {
        "@architectures": f"{PACKAGE}.WithStridedSpans.v1",
        "window": window,
        "stride": window * 3 // 4,
    }
    heard = {
        "@architectures": f"{PACKAGE}.LastTransformerLayerListener.v1",
        "width": model["hidden_width"],
        "pooling": {"@layers": "reduce_mean.v1"},
        "upstream": NAME,
    }
    component = COMPONENTS[kind](
        heard, Size(width=model["hidden_width"], depth=0, hidden=64), spans_key=spans_key
    )
    encoder_loader = {"@model_loaders": f"{PACKAGE}.HFTransformerEncoderLoader.v1", "name": name}
    return Config(
        {
            "nlp": {"lang": lang, "pipeline": [NAME, task], "batch_size": 128},
            "components": {
                NAME: {"factory": "curated_transformer", "model": model},
                task: component,
            },
            "initialize": {
                "components": {
                    NAME: {
                        "encoder_loader": encoder_loader,
                        "piecer_loader": {**loader, "name": name},
                    }
                }
            },
        }
    )


def read_pretrained(name: str) -> Dict[str, Any]:
    """Read the settings of a pretrained transformer.

    name (str): Folder, or name on the hub.
    RETURNS (Dict[str, Any]): Its config.json, filled.
    RAISES (InputError): If packages are missing, it can't be read, or is of a type that can't be
        used.
    """
    for package in ("torch", "spacy_curated_transformers", "transformers"):
        require(package, extra=EXTRA)
    from transformers import AutoConfig

    try:
        pretrained: Dict[str, Any] = AutoConfig.from_pretrained(name).to_dict()
    except (OSError, ValueError, KeyError) as e:
        refuse(name, e)
    check_type(name, pretrained)
    return pretrained


def refuse(name: str, error: Exception) -> NoReturn:
    """RAISES (InputError): With the first line of what went wrong."""
    detail = str(error).strip().partition("\n")[0]
    raise InputError(Errors.H373.format(name=name, detail=detail)) from error


def check_type(name: str, pretrained: Dict[str, Any]) -> None:
    """RAISES (InputError): If no student can be made of a transformer of this type."""
    found = pretrained.get("model_type")
    if found not in TYPES:
        raise InputError(Errors.H374.format(name=name, found=found, known=", ".join(TYPES)))


def model_settings(pretrained: Dict[str, Any]) -> Dict[str, Any]:
    """Settings of a curated transformer from those of a pretrained one.

    pretrained (Dict[str, Any]): Content of its config.json.
    RETURNS (Dict[str, Any]): What weights of this shape need. RoBERTa counts positions from the
        padding on, so that fewer are left for pieces.
    """
    positions, padding = pretrained["max_position_embeddings"], pretrained["pad_token_id"]
    used = padding + 1 if pretrained["model_type"] == "roberta" else 0
    return {
        "vocab_size": pretrained["vocab_size"],
        "hidden_width": pretrained["hidden_size"],
        "intermediate_width": pretrained["intermediate_size"],
        "num_hidden_layers": pretrained["num_hidden_layers"],
        "num_attention_heads": pretrained["num_attention_heads"],
        "hidden_act": pretrained["hidden_act"],
        "attention_probs_dropout_prob": pretrained["attention_probs_dropout_prob"],
        "hidden_dropout_prob": pretrained["hidden_dropout_prob"],
        "layer_norm_eps": pretrained["layer_norm_eps"],
        "max_position_embeddings": positions,
        "model_max_length": positions - used,
        "padding_idx": padding,
        "type_vocab_size": pretrained["type_vocab_size"],
    }


def transformer_training(warm_up: bool) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): What a transformer changes in initialize and training: big
    batches in parts, a learning rate that rises first, and pytorch's memory on a GPU."""
    rate = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 250,
        "total_steps": MAX_STEPS,
        "initial_rate": 0.00005,
    }
    sections: Dict[str, Any] = {
        "system": {"gpu_allocator": "pytorch"},
        "training": {
            "accumulate_gradient": 3,
            "dropout": 0.1,
            "max_steps": MAX_STEPS,
            "patience": 1000,
            "eval_frequency": 100,
            "optimizer": {"@optimizers": "Adam.v1", "learn_rate": rate},
            "batcher": {
                "@batchers": "spacy.batch_by_padded.v1",
                "discard_oversize": True,
                "size": 2000,
                "buffer": 256,
            },
        },
    }
    if warm_up:
        settings = {"epochs": 3, "learn_rate": 0.00005, "dropout": 0.1}
        sections["initialize"] = {"after_init": settings}
    return sections
