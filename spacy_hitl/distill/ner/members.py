"""`spacy-hitl.train_members.v1`: small recognizers that learn apart and decide together."""

import random
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from confection import Config
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_model_from_config, logger
from thinc.api import Optimizer, fix_random_seed

from ...errors import Errors, InputError
from ...io import batched
from ...pipeline.accelerate import accelerate
from ..optimizer import make_adam
from .choices import Choices
from .joining import join, member_models
from .unseen import UnseenWords

FOLDS = 3
RISE = 0.1  # share of the updates in which the learning rate rises
Reader = Callable[[Language], Iterable[Example]]


@dataclass(frozen=True)
class MemberSettings:
    """How a member learns; see `make_train_members_callback`."""

    epochs: int = 12
    batch_size: int = 16
    learn_rate: float = 0.003
    dropout: float = 0.3
    new_names: float = 0.6
    unseen: float = 0.3
    case: float = 0.1
    empties: float = 2.0
    folds: int = FOLDS


def make_train_members_callback(
    corpus: Reader,
    more: Optional[Reader] = None,
    component: str = "ner",
    ruler: Optional[str] = None,
    epochs: int = 12,
    batch_size: int = 16,
    learn_rate: float = 0.003,
    dropout: float = 0.3,
    new_names: float = 0.6,
    unseen: float = 0.3,
    case: float = 0.1,
    empties: float = 2.0,
    folds: int = FOLDS,
    seed: int = 0,
) -> Callable[[Language], None]:
    """Make the training of an ensemble for `[initialize.after_init]`.

    The component is a `ner` whose tok2vec is a concatenation of encoders (concatenate.v1). Each
    encoder becomes a recognizer of its own, and the component is the mean of these members. What
    the list of seen names and a bias are worth is counted by cross-fitting: on each third of the
    texts, with members that learned from the others. Then they learn anew from all. With
    `folds = 0` nothing is chosen: there is no list and no bias. The ordinary loop has nothing left
    to do but score the result. It is loaded and run by plain spaCy.

    corpus (Reader): Reader of what is learned: ${corpora.train}.
    more (Optional[Reader]): Another one to learn from: ${corpora.dev}, which chooses nothing here.
    component (str): Name of the component.
    ruler (Optional[str]): Name of an entity_ruler in front of it, which is filled with names of the
        training texts where that helps.
    epochs (int): Passes over the examples.
    batch_size (int): Examples per update.
    learn_rate (float): Peak rate of Adam; rises over the first tenth of the updates, then falls.
    dropout (float): Dropout rate, 0 to 1.
    new_names (float): Probability of an entity to get a made-up name, in each pass anew.
    unseen (float): Any other word that comes n times is made up with probability
        unseen / (unseen + n).
    case (float): Probability of an entity to be written in another case.
    empties (float): Texts without entities in a pass, per text with some; drawn anew each time.
    folds (int): Of the cross-fitting; 0 for none.
    seed (int): Of the first member; the others count on.
    RETURNS (Callable[[Language], None]): The callback.
    RAISES (InputError): If an option can't be used.
    """
    settings = MemberSettings(
        epochs, batch_size, learn_rate, dropout, new_names, unseen, case, empties, folds
    )
    _check(settings, component, ruler)

    def train_members(nlp: Language) -> None:
        for name, factory in ((component, "ner"), (ruler, "entity_ruler")):
            if name is not None:
                _check_component(nlp, name, factory)
        config = nlp.get_pipe_config(component)
        models = member_models(config["model"], name=component)
        examples = [eg for reader in (corpus, more) if reader for eg in reader(nlp)]
        if not any(eg.reference.ents for eg in examples):
            raise InputError(Errors.H381.format(name=component, count=len(examples)))
        random.Random(seed).shuffle(examples)  # noqa: S311
        choices = Choices(component, ruler)
        pipes = {component: config}
        if ruler is not None:
            pipes = {ruler: nlp.get_pipe_config(ruler), **pipes}

        def learn(texts: List[Example]) -> List[Any]:
            members = []
            for number, model in enumerate(models):
                logger.info("Member %d of %d: %d texts", number + 1, len(models), len(texts))
                parts = {component: {**config, "model": model}}
                member = _start(nlp, component, parts, examples, seed + number)
                _learn(member, component, texts, settings, seed + number)
                trained: Any = member.get_pipe(component)
                members.append(trained.model)
            return members

        # What is chosen is chosen for the members together: alone, each is less careful.
        for fold in range(folds):
            learned = [eg for i, eg in enumerate(examples) if i % folds != fold]
            joined: Any = _start(nlp, component, pipes, examples, seed)
            join(joined.get_pipe(component).model, learn(learned))
            choices.count(joined, learned, examples[fold::folds])
        pipe: Any = nlp.get_pipe(component)
        join(pipe.model, learn(examples))
        if not folds:
            return
        choice = choices.best()
        choices.apply(nlp, examples, choice)
        logger.info("Best of what was tried: %s, F %.3f", choice, choices.f(choice))

    return train_members


def _check(settings: MemberSettings, component: str, ruler: Optional[str]) -> None:
    least = "at least 2" if ruler else "0 or at least 2"
    limits = {
        "epochs": (settings.epochs >= 1, "at least 1"),
        "batch_size": (settings.batch_size >= 1, "at least 1"),
        "learn_rate": (settings.learn_rate > 0, "above 0"),
        "dropout": (0 <= settings.dropout < 1, "from 0 to below 1"),
        "new_names": (0 <= settings.new_names <= 1, "from 0 to 1"),
        "unseen": (settings.unseen >= 0, "0 or more"),
        "case": (0 <= settings.case <= 1, "from 0 to 1"),
        "empties": (settings.empties >= 0, "0 or more"),
        "folds": (settings.folds >= 2 or (not settings.folds and not ruler), least),
    }
    for name, (fine, expected) in limits.items():
        if not fine:
            value = getattr(settings, name)
            raise InputError(
                Errors.H382.format(name=component, option=name, value=value, expected=expected)
            )


def _check_component(nlp: Language, name: str, factory: str) -> None:
    if name not in nlp.pipe_names:
        raise InputError(Errors.H303.format(name=name, pipeline=", ".join(nlp.pipe_names)))
    found = nlp.get_pipe_config(name).get("factory")
    if found != factory:
        problem = f"'{name}' is made by {found!r}, not by {factory!r}"
        raise InputError(Errors.H380.format(name=name, problem=problem))


def _start(
    nlp: Language, name: str, configs: Dict[str, Any], examples: List[Example], seed: int
) -> Language:
    """RETURNS (Language): A pipeline with one recognizer, initialised with the same actions."""
    fix_random_seed(seed)
    sections = {"nlp": {"lang": nlp.lang, "pipeline": list(configs)}, "components": configs}
    # Its own vocabulary takes the made-up words; the student's would save them.
    member = load_model_from_config(Config(sections), auto_fill=True)
    member.vocab.vectors = nlp.vocab.vectors
    pipe: Any = member.get_pipe(name)
    labels = nlp.get_pipe(name).label_data  # type: ignore[attr-defined]
    pipe.initialize(lambda: examples, nlp=member, labels=labels)
    accelerate(member)
    return member


def _learn(
    nlp: Language, name: str, examples: Sequence[Example], settings: MemberSettings, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    make_up = UnseenWords(
        (eg.reference for eg in examples),
        names=settings.new_names,
        rate=settings.unseen,
        case=settings.case,
        random=chance,
        vocab=nlp.vocab,
    )
    optimizer = make_adam(settings.learn_rate)
    pipe: Any = nlp.get_pipe(name)
    filled = [eg for eg in examples if eg.reference.ents]
    empty = [eg for eg in examples if not eg.reference.ents]
    count = min(len(empty), round(settings.empties * len(filled)))
    total = settings.epochs * -(-(len(filled) + count) // settings.batch_size)
    step = 0
    for epoch in range(settings.epochs):
        chosen = [*filled, *chance.sample(empty, count)]
        chance.shuffle(chosen)
        losses: Dict[str, float] = {}
        for batch in batched(chosen, settings.batch_size):
            optimizer.learn_rate = settings.learn_rate * share_of_rate(step / total)
            pipe.update(
                [make_up(eg) for eg in batch], drop=settings.dropout, sgd=optimizer, losses=losses
            )
            step += 1
        logger.info("Epoch %d of %d: loss %s", epoch + 1, settings.epochs, losses)
    _use_averages(pipe.model, optimizer)


def share_of_rate(done: float) -> float:
    """Compute what part of the peak learning rate an update gets.

    done (float): Share of the updates that came before, 0 to 1.
    RETURNS (float): Above 0, at most 1.

    >>> share_of_rate(0.05)
    0.5
    """
    return max(0.01, min(done / RISE, (1 - done) / (1 - RISE)))


def _use_averages(model: Any, optimizer: Optimizer) -> None:
    """The mean of the last updates is steadier than the last one."""
    averages: Dict[Any, Any] = optimizer.averages or {}
    for node in model.walk():
        for name in node.param_names:
            if (node.id, name) in averages:
                node.set_param(name, averages[node.id, name])
