"""`spacy hitl init NAME`: ask for what is missing, put it together, say what to type next."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Mapping, Tuple

from wasabi import msg

from ..errors import Errors, InputError
from ._ask_project import Wanted, ask, said, split

if TYPE_CHECKING:
    from ..project.plan import NewProject, NewTask


def refuse_options(given: Mapping[str, object], *, wanted: str, other: str) -> None:
    """RAISES (InputError): If an option is given that only the other form of the command takes."""
    options = [option for option, value in given.items() if value is not None]
    if options:
        raise InputError(Errors.H082.format(option=options[0], wanted=wanted, other=other))


def in_terminal() -> bool:
    """RETURNS (bool): Whether somebody is there who can be asked."""
    return sys.stdin.isatty()


def start_project(path: Path, wanted: Wanted) -> None:
    """Make a new project folder.

    path (Path): The folder.
    wanted (Wanted): What was said of it. The rest is asked for in a terminal.
    RAISES (InputError): If something can't be used, or the folder is not free. Nothing is written.
    """
    from ..project.files import project_files
    from ..project.folder import check_free, write_folder
    from ..project.plan import check_name

    check_name(path)
    check_free(path)
    if in_terminal():
        wanted = ask(wanted)
    project, students = _put_together(path, wanted)
    write_folder(path, project_files(project, students))
    _tell(path, project)


def _put_together(path: Path, wanted: Wanted) -> "Tuple[NewProject, Dict[str, str]]":
    """RETURNS (Tuple[NewProject, Dict[str, str]]): The project, and training configs by task."""
    from ..distill.recipes.new_config import config_text
    from ..distill.recipes.plan import make_plan
    from ..project import plan as new

    _check_counts(wanted)
    lang = new.check_lang(wanted.lang or "en")
    if wanted.student == "transformer":
        expected = "small, fast or ensemble; a training config with a transformer comes later"
        raise new.refuse("--student", wanted.student, expected)
    tasks: List[NewTask] = []
    plans = {}
    for i, kind in enumerate(wanted.kinds or ("ner",)):
        exclusive = wanted.exclusive if kind == "textcat" else None
        if kind == "textcat" and exclusive is None and not said(wanted.labels, i):
            exclusive = True  # the example's labels exclude one another
        # The folder is not there: it can't hold a corpus that says otherwise.
        plan = make_plan(
            kind=new.check_kind(kind),
            labels=_labels(wanted, i, kind),
            name=said(wanted.names, i) or None,
            corpus=path / "corpus" / "none.jsonl",
            exclusive=exclusive,
            student=wanted.student,
            lang=lang,
        )
        plans[plan.task] = replace(
            plan,
            corpus=f"corpus/{plan.task}.jsonl",
            spans_key=plan.task,
            warm_up_on_all=True,
        )
        tasks.append(new.NewTask(plan.task, kind, plan.labels, plan.exclusive))
    defined = new.define(tasks, wanted.definitions)
    new.check_tasks(defined)
    server = None
    if wanted.server or not all(task.is_example for task in defined):
        server = new.make_server(wanted.endpoint, wanted.model, wanted.api_key_env)
    students = {n: config_text(p, path=f"configs/{n}.cfg") for n, p in plans.items()}
    return new.NewProject(path.name, defined, lang, server, wanted.student), students


def _check_counts(wanted: Wanted) -> None:
    from ..project.plan import refuse

    count = len(wanted.kinds or ("ner",))
    for option, values in (("--labels", wanted.labels), ("--name", wanted.names)):
        if len(values) > count:
            expected = f"it at most once for each --task, of which there is {count}"
            raise refuse(option, values[count], expected)


def _labels(wanted: Wanted, i: int, kind: str) -> List[str]:
    """RETURNS (List[str]): Labels of the i-th task: those of the example if nothing was said."""
    from ..project.example import example_tasks
    from ..project.plan import check_kind

    if said(wanted.labels, i):
        return split(said(wanted.labels, i))
    return list(example_tasks()[check_kind(kind)].labels)


def _tell(path: Path, project: "NewProject") -> None:
    names = ", ".join(f"{task.name} ({task.kind})" for task in project.tasks)
    msg.good(f"New project {path}: {names}")
    server = project.server
    if server is None:
        msg.info("Its model replays answers that come with the ten example texts: no server needed")
    elif server.is_ollama:
        msg.info(f"Its model is {server.model} at {server.url}. Start it first:")
        msg.text(f"ollama serve, and in another terminal: ollama pull {server.model}")
    else:
        key = f"a key, if it wants one, is read from {server.key_variable}"
        msg.info(f"Its model is {server.model} at {server.url}; {key}")
    msg.text(f"Next: cd {path}")
    if server is not None:
        msg.text("      spacy hitl annotate configs/prototype.cfg --check")
    msg.text("      spacy hitl annotate configs/prototype.cfg assets/texts.jsonl")
    msg.text("      and so on: README.md")
