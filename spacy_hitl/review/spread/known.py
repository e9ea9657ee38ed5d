"""What is known of a text for one task, when something is decided everywhere."""

from dataclasses import dataclass, replace
from typing import Optional

from ...dataset.looks import overlay
from ...errors import Errors, InputError
from ...records import NIL, NOTHING
from ..session.plan import ReviewTask
from ..session.texts import Texts
from .propagation import LINKING, SPREADABLE, Known

MAX_FORM = 200  # characters


@dataclass(frozen=True)
class Form:
    """A surface form of a task, and what it should be. label: None for no label."""

    task: str
    form: str
    label: Optional[str]
    ignore_case: bool = False

    def refused(self, problem: str) -> InputError:
        """RETURNS (InputError): To be raised."""
        return InputError(Errors.H222.format(form=self.form[:40], task=self.task, problem=problem))


def check_task(texts: Texts, wanted: Form) -> ReviewTask:
    """RETURNS (ReviewTask): The task of a form.
    RAISES (InputError): If there is none, it has no spans, or the form is none.
    """
    if wanted.task not in texts.plan:
        known = ", ".join(texts.plan)
        raise InputError(Errors.H215.format(task=ascii(wanted.task)[1:61], known=known))
    task = texts.plan[wanted.task]
    if task.kind not in SPREADABLE:
        raise wanted.refused(f"it is of the kind {task.kind}")
    if not wanted.form.strip() or len(wanted.form) > MAX_FORM:
        raise wanted.refused(f"it has {len(wanted.form)} characters, not 1 to {MAX_FORM}")
    return task


def check_label(task: ReviewTask, wanted: Form) -> None:
    """RAISES (InputError): If a form can't have what is wanted."""
    names = (*task.labels, NIL) if task.kind == LINKING else task.labels
    if wanted.label is None and task.kind == LINKING:
        raise wanted.refused(f"a mention always has a link; '{NIL}' is one")
    if wanted.label is not None and wanted.label not in names:
        raise wanted.refused(f"{ascii(wanted.label)[:60]} is none of its labels")
    if task.one_label is not None and wanted.label not in (None, task.one_label):
        raise wanted.refused(f"this session looks at {task.one_label} only")


def read_known(texts: Texts, task: ReviewTask, digest: str) -> Known:
    """Read what is known of a text.

    texts (Texts): The texts of the session.
    task (ReviewTask): The task.
    digest (str): The text.
    RETURNS (Known): What people decided; where they did not, what was proposed.
    """
    tokens = texts.tokens(digest)
    places = tuple(zip(tokens.starts, tokens.ends, strict=True))
    found = texts.standing(task.name, digest)
    bare = Known(digest, tokens.text, places, NOTHING)
    if found is not None and found.annotation is not None:
        return replace(bare, annotation=found.annotation, whole=True)
    if found is not None and (found.rejected or found.put_aside):
        what = "rejected" if found.rejected else "put aside"
        return replace(bare, whole=True, closed=f"the text was {what}")
    proposals = texts.proposals(task.name, digest)
    shown = next((p for p in proposals if (p.source, p.sample, p.task_digest) == task.key), None)
    if shown is not None:
        bare = replace(bare, annotation=shown.annotation, source=shown.source)
    if found is None or found.partial is None:
        return bare
    partial = found.partial
    known = overlay(bare.annotation, partial, texts.histories[task.name].header)
    return replace(bare, annotation=known, ranges=partial.ranges, labels=partial.labels)
