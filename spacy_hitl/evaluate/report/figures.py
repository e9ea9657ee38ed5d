"""How figures are written in the report. Pure."""

import re
from typing import Optional

from ...io import text_digest
from ...scoring.results import ROLES, SystemScore, TaskMetrics

KINDS_IN_WORDS = {
    "ner": "entities",
    "spancat": "spans that may overlap",
    "textcat": "categories",
    "linking": "links to a catalog",
    "relations": "relations",
}


def score(value: float) -> str:
    """RETURNS (str): A score, as in `0.950`."""
    return f"{value:.3f}"


def signed(value: float) -> str:
    """RETURNS (str): A difference, with a real minus.

    >>> signed(-0.0451)
    '−0.045'
    """
    return f"{value:+.3f}".replace("-", "−")


def interval(low: Optional[float], high: Optional[float]) -> str:
    """RETURNS (str): As in `0.924 to 0.972`; a dash if unknown."""
    return "–" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def signed_interval(low: float, high: float) -> str:
    """RETURNS (str): Of a difference."""
    return f"{signed(low)} to {signed(high)}"


def number(value: Optional[float], digits: int = 0) -> str:
    """RETURNS (str): With thousands set off; a dash if unknown.

    >>> number(34177.2), number(None), number(2.39, 1)
    ('34,177', '–', '2.4')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def probability(value: float) -> str:
    """A bootstrapped probability never says never.

    >>> probability(1.0), probability(0.993), probability(0.0)
    ('more than 99.9%', '99.3%', 'less than 0.1%')
    """
    if value > 0.999:
        return "more than 99.9%"
    return "less than 0.1%" if value < 0.001 else f"{value:.1%}"


def count(n: int, one: str, many: Optional[str] = None) -> str:
    """RETURNS (str): A number and its noun.

    >>> count(1, "text"), count(1200, "text")
    ('1 text', '1,200 texts')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """RETURNS (str): In the unit that one would say.

    >>> duration(42), duration(600), duration(20000)
    ('42 seconds', '10 minutes', '5.6 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def metric_name(metrics: TaskMetrics) -> str:
    """RETURNS (str): What the main score is, in words."""
    return "mean F of the categories" if metrics.main.endswith("macro_f") else "F"


def system_name(metrics: TaskMetrics, system: SystemScore) -> str:
    """RETURNS (str): The role of a system, numbered if it is not the only one of its role."""
    same = [s.name for s in metrics.systems if s.role == system.role]
    return system.role if len(same) == 1 else f"{system.role} {same.index(system.name) + 1}"


def key(metrics: TaskMetrics) -> str:
    """RETURNS (str): The task's name as it can stand in an id, no two alike."""
    name = metrics.header.task
    plain = re.sub(r"[^a-zA-Z0-9_-]", "-", name)
    return plain if plain == name else f"{plain}-{text_digest(name)[:8]}"


def role_rank(role: str) -> int:
    """RETURNS (int): Position of a role, for colours and order."""
    return ROLES.index(role) if role in ROLES else len(ROLES)
