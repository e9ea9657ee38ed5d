"""Write a student's config down, with comments and in the order in which it is read."""

from typing import Any, Dict, Iterator, List

from confection import Config

from .plan import ENSEMBLE, TRANSFORMER, Plan

# As the work goes: what it is, what it learns from, how it starts, how it goes on.
ORDER = ("paths", "system", "nlp", "components", "corpora", "initialize", "training")


def render(config: Config, plan: Plan, *, path: str) -> str:
    """Write a config down.

    config (Config): A filled config.
    plan (Plan): What it is for.
    path (str): Where it will stand, for the command in its first lines.
    RETURNS (str): The text of a .cfg file: what spaCy would write, with comments.
    """
    sections: Dict[str, List[str]] = {}
    for line in config.to_str(interpolate=False).splitlines():
        if line.startswith("["):
            name = line[1:-1]
            sections[name] = []
        elif line.strip():
            sections[name].append(line)
    notes = comments(plan)
    lines = _head(plan, path)
    # A section of nothing but positional arguments has no line of its own.
    for name in (n for n in _names(config) if n in sections):
        lines += ["", *(f"# {line}" for line in notes.get(name, ())), f"[{name}]"]
        lines += sections[name]
    return "\n".join(lines) + "\n"


def _names(config: Config) -> Iterator[str]:
    """YIELDS (str): Dotted names of sections, each followed by what is inside it."""

    def walk(section: Dict[str, Any], prefix: str) -> Iterator[str]:
        yield prefix
        for key, value in section.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}.{key}")

    for name in (*ORDER, *(n for n in config if n not in ORDER)):
        yield from walk(config[name], name)


def _head(plan: Plan, path: str) -> List[str]:
    where = " --gpu-id 0" if plan.student == TRANSFORMER else ""
    return [
        f"# Student of the task '{plan.task}': {plan.component}, recipe {plan.student}.",
        f"# spacy train {path} --output training/{plan.task}{where}",
    ]


def comments(plan: Plan) -> Dict[str, List[str]]:
    """RETURNS (Dict[str, List[str]]): Lines to stand above a section, by its name."""
    notes = {
        "paths": [
            "The corpus is written by 'spacy hitl export'. To train on another one: --paths.corpus",
            "FILE. train, dev, vectors and init_tok2vec are spaCy's own and not used here.",
        ],
        "nlp.after_pipeline_creation": [
            "The same predictions, faster. Take it out to run the pipeline with spaCy alone.",
        ],
        "corpora.train": [
            "What was decided. The lane says what a text is for; gold can't be read here."
        ],
        "corpora.dev": ["Decided texts, to choose the best checkpoint by."],
        "initialize.components": [
            "All labels from the start: those nobody decided on yet too, and in this order."
        ],
        "initialize.after_init": [
            "First the student learns what the model proposed for texts nobody decided on.",
        ],
        "training": ["Then spaCy's ordinary loop tunes it on decided texts."],
        "training.before_to_disk": [
            "The threshold with the best micro F on lane dev, saved with the component."
        ],
        "training.score_weights": ["The best checkpoint is the best in this."],
    }
    if plan.decided == 0:
        notes["corpora.train"] = ["What the model proposed: no text of lane train is decided yet."]
        notes["training"] = ["spaCy's ordinary loop, on what was proposed."]
    if plan.warm_up_on_all:
        notes["initialize.after_init"] = [
            "First the student learns what was decided, and what was proposed for other texts."
        ]
    if plan.kind == "linking":
        notes["initialize.components"] = [
            "What can be linked to: the catalog, and how people wrote it on the training side."
        ]
        notes["training"] = ["One pass: what there is to learn stands in the knowledge base."]
        notes[f"components.{plan.task}"] = [
            "Form and prior decide. Where forms are ambiguous set incl_context = true, and more",
            "max_epochs in [training]. entity_vector_length is the kb_loader's vector_length.",
        ]
    if plan.student == ENSEMBLE:
        notes["initialize.after_init"] = ["Each encoder learns by itself what corpora.train has."]
        notes["training"] = ["All is learned before: one update of rate 0, and the score on dev."]
        if plan.decided != 0:
            notes["corpora.train"] = ["What was decided, and what was proposed for other texts."]
    if plan.student == TRANSFORMER:
        notes["initialize.components.transformer"] = [
            "Pretrained weights and vocabulary: read when training starts, never where it runs."
        ]
        notes["training.batcher"] = ["size: tokens, with padding, that fit the GPU at once."]
    return notes
