"""What a cascade's threshold rests on, for people."""

from typing import List, Tuple

from wasabi.tables import table

from ..records import TRAIN
from ..scoring.cascade import CascadePlan, CascadePoint


def plan_table(plan: CascadePlan) -> str:
    """RETURNS (str): The chosen threshold, and the curve from the student to the LLM alone."""
    rows = [_row(p) for p in plan.curve]
    rows.append(("chosen", *_row(plan.chosen)[1:]))
    header = ("asked", "threshold", "wrong texts of the student's", plan.main)
    return str(table(rows, header=header, divider=True))


def _row(p: CascadePoint) -> Tuple[str, str, str, str]:
    error = f"{p.error:.3f} [{p.low:.3f}, {p.high:.3f}]" if p.asked < 1 else "-"
    score = "-" if p.score is None else f"{p.score:.3f} [{p.score_low:.3f}, {p.score_high:.3f}]"
    return f"{p.asked:.1%}", f"{p.threshold:.4f}", error, score


def plan_notes(plan: CascadePlan) -> List[str]:
    """RETURNS (List[str]): In sentences: what is right, and what to take with care."""
    notes = [
        f"{plan.texts} decided texts of lane {plan.lane}. All is right in "
        f"{_figure(plan.student_right)} of them by the student"
        + ("." if plan.llm_right is None else f", in {_figure(plan.llm_right)} by the LLM."),
        f"Below {plan.chosen.threshold:.4f} the LLM is asked: about {plan.chosen.asked:.1%} of the "
        "texts, if others are like these.",
    ]
    if plan.lane == TRAIN:
        notes.append(
            "Lane dev has too few decided texts. The student learned from these of lane train: it "
            "looks better and surer here than it is, and less will be asked. Review some of dev."
        )
    elif plan.learned:
        notes.append(
            "The recipe of this student learned from lane dev as well: it looks better and surer "
            "here than it is. Give --student one that did not."
        )
    if plan.chosen.score is None:
        notes.append("No stored answers of the LLM about these texts: its side is not measured.")
    return notes


def _figure(value: Tuple[float, float, float]) -> str:
    return f"{value[0]:.1%} [{value[1]:.1%}, {value[2]:.1%}]"
