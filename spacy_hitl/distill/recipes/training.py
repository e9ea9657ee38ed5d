"""The whole training config of a student: filled, as `spacy train` runs it."""

import math
from typing import Any, Dict, List

from confection import Config
from spacy.util import get_sourced_components, load_config_from_str, load_model_from_config

from . import student_config
from .entity_linker import VECTOR_LENGTH
from .ner_training import ner_training
from .plan import ENSEMBLE, TRANSFORMER, Plan
from .transformer import transformer_config, transformer_training

CORPUS = "${paths.corpus}"
# How many updates are tried at most; the loop ends earlier if dev does not get better.
STEPS = {"max_steps": 1000, "patience": 200, "eval_frequency": 20}
# Passes over the proposals: with few of them more, so that there are about so many updates.
WARM_UP_UPDATES, MAX_EPOCHS = 240, 30
WARM_UP = {
    "ner": {"epochs": 6, "batch_size": 16},
    "spancat": {"epochs": 10, "batch_size": 16},
    "textcat": {"epochs": 6, "batch_size": 32},
    "relations": {"epochs": 10, "batch_size": 16},
}
SCORE = {
    "ner": "ents_f",
    "spancat": "spans_{spans_key}_f",
    "textcat": "cats_macro_f",
    "textcat_multilabel": "cats_macro_auc",
    "entity_linker": "nel_micro_f",
    "hitl_relations": "rel_micro_f",
}


def training_config(plan: Plan) -> Config:
    """Make a student's whole config.

    plan (Plan): What it is for.
    RETURNS (Config): Filled: every setting stands in it, those of spaCy too. Variables such as
        ${paths.corpus} are kept.
    RAISES (InputError): If there is no recipe for this kind, or a package or a pretrained model is
        missing.
    """
    config = Config(
        {
            "paths": _paths(plan),
            "system": {"seed": 0, "gpu_allocator": None},
            **_pipeline(plan),
            "corpora": {"train": _reader(plan, "train"), "dev": _reader(plan, "dev")},
        }
    )
    for section, values in _learning(plan).items():
        config[section] = merge(config.get(section, {}), values)
    filled = fill(config)
    _set_score(filled, plan)
    return filled


def _paths(plan: Plan) -> Dict[str, Any]:
    paths: Dict[str, Any] = {"corpus": plan.corpus}
    if plan.kind == "linking":
        paths["catalog"] = plan.catalog
    return paths


def _pipeline(plan: Plan) -> Config:
    options = {"task": plan.task, "lang": plan.lang, "spans_key": plan.spans_key}
    if plan.student == TRANSFORMER:
        return transformer_config(plan.component, name=str(plan.transformer), **options)
    if plan.student == ENSEMBLE:
        learned = ner_training(plan.task, labelled=plan.labelled)
        nlp = {"lang": plan.lang, "batch_size": 256, **learned["nlp"]}
        return Config({"nlp": nlp, "components": learned["components"]})
    # A linker asks no encoder, so that there is nothing to accelerate.
    recipe = "small" if plan.kind == "linking" else plan.student
    return student_config(plan.component, recipe=recipe, base=plan.base, **options)


def _reader(plan: Plan, lane: str) -> Dict[str, Any]:
    reader = {
        "@readers": "spacy-hitl.TaskCorpus.v1",
        "path": CORPUS,
        "task": plan.task,
        "lane": lane,
        "decisions": True,
        "proposals": False,
    }
    if lane == "train" and plan.decided == 0:
        reader.update(decisions=False, proposals=True)  # nothing else to learn from yet
    elif lane == "train" and plan.student == ENSEMBLE:
        reader["proposals"] = True  # learned together, once
    return reader


def _learning(plan: Plan) -> Dict[str, Any]:
    """`[initialize]` and `[training]`: what the kind needs, then what a transformer changes."""
    sections: Dict[str, Any] = {
        "initialize": {"components": {plan.task: _initial(plan)}},
        "training": {
            "seed": "${system.seed}",
            "gpu_allocator": "${system.gpu_allocator}",
            "dev_corpus": "corpora.dev",
            "train_corpus": "corpora.train",
            "dropout": 0.2,
            **STEPS,
            "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.001},
            "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 16},
        },
    }
    training = sections["training"]
    if plan.kind == "linking":
        # What there is to learn stands in the knowledge base.
        training.update(max_steps=0, max_epochs=1, patience=0)
        return sections
    if plan.student == ENSEMBLE:
        learned = ner_training(plan.task, labelled=plan.labelled)
        changes = {name: learned[name] for name in ("initialize", "training")}
        return merge(sections, changes)
    if warms_up(plan):
        callback = {"@callbacks": "spacy-hitl.distill.v1", "path": CORPUS, "task": plan.task}
        settings = {"learn_rate": 0.001, "dropout": 0.2, **_passes(plan)}
        if plan.warm_up_on_all:
            settings["decisions"] = True
        sections["initialize"]["after_init"] = {**callback, **settings}
        # Decisions tune what proposals taught; faster, they would wipe it out.
        training["optimizer"]["learn_rate"] = 0.0003
    if plan.component == "textcat_multilabel":
        callback = {"@callbacks": "spacy-hitl.threshold.v1", "path": CORPUS, "task": plan.task}
        training["before_to_disk"] = callback
    if plan.student == TRANSFORMER:
        return merge(sections, transformer_training(warms_up(plan)))
    return sections


def _passes(plan: Plan) -> Dict[str, int]:
    """RETURNS (Dict[str, int]): Epochs and batch size of the warm-up."""
    passes = dict(WARM_UP[plan.kind])
    texts = (plan.proposed or 0) + (plan.decided or 0) * plan.warm_up_on_all
    if texts and plan.kind == "ner":  # measured there only
        needed = math.ceil(WARM_UP_UPDATES * passes["batch_size"] / texts)
        passes["epochs"] = max(passes["epochs"], min(needed, MAX_EPOCHS))
    return passes


def warms_up(plan: Plan) -> bool:
    """RETURNS (bool): Whether the student first learns from proposals: if there are any beside
    decisions, or nobody knows yet."""
    return plan.kind != "linking" and plan.decided != 0 and plan.proposed != 0


def _initial(plan: Plan) -> Dict[str, Any]:
    """`[initialize.components.NAME]`: the labels of the task, also those nobody decided on yet."""
    if plan.kind == "linking":
        loader = {
            "@misc": "spacy-hitl.CatalogKB.v1",
            "catalog": "${paths.catalog}",
            "path": CORPUS,
            "task": plan.task,
            "vector_length": VECTOR_LENGTH,
        }
        return {"kb_loader": loader}
    labels: List[str] = list(plan.labels)
    if plan.kind == "ner":
        return {"labels": {"@misc": "spacy-hitl.EntityLabels.v1", "labels": labels}}
    return {"labels": labels}


def merge(values: Dict[str, Any], updates: Dict[str, Any]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Both, section by section; another function is another section.

    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    result = dict(values)
    for key, value in updates.items():
        old = result.get(key)
        same = isinstance(old, dict) and isinstance(value, dict) and not _replaces(old, value)
        result[key] = merge(old, value) if same and old is not None else value
    return result


def _replaces(old: Dict[str, Any], new: Dict[str, Any]) -> bool:
    functions = [{k: v for k, v in block.items() if k.startswith("@")} for block in (old, new)]
    return bool(functions[1]) and functions[0] != functions[1]


def fill(config: Config) -> Config:
    """RETURNS (Config): With all settings that were left out, as `spacy init fill-config` does."""
    filled = load_model_from_config(config, auto_fill=True, validate=False).config
    # Components that come from elsewhere have been replaced by what they are.
    filled["components"].update(get_sourced_components(config))
    # As it will be read: a default that is a tuple has become a list.
    read: Config = load_config_from_str(filled.to_str(interpolate=False))
    return read


def _set_score(config: Config, plan: Plan) -> None:
    """One score chooses the best checkpoint; the others are shown."""
    weights: Dict[str, Any] = config["training"]["score_weights"]
    for name, weight in weights.items():
        weights[name] = None if weight is None else 0.0
    weights[SCORE[plan.component].format(spans_key=plan.spans_key)] = 1.0
