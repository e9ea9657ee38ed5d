"""What the page is made of."""

import re
from dataclasses import dataclass, field
from typing import List, Optional, Sequence, Tuple

from ...scoring.results import GoldOutput
from .drawing import Plot
from .examples import ErrorClass
from .tables import Table


@dataclass
class Part:
    """A part of a section, under a heading of its own.

    missing: one line for each thing that is not there, and how to get it.
    """

    key: str
    title: str
    plots: List[Plot] = field(default_factory=list)
    tables: List[Table] = field(default_factory=list)
    errors: List[ErrorClass] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)

    def add_plot(self, plot: Optional[Plot], missing: str = "") -> None:
        """Add a plot, or say why there is none."""
        if plot is not None:
            self.plots.append(plot)
        elif missing:
            self.missing.append(missing)

    def add_table(self, table: Optional[Table]) -> None:
        """Add a table, if there is one."""
        if table is not None:
            self.tables.append(table)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to put under the heading."""
        return not (self.plots or self.tables or self.errors)


@dataclass(frozen=True)
class Section:
    """One task.

    kind: what is annotated. gold: what the figures rest on. notes: what must be said beside them.
    sentences: the summary. parts: those with something in them; missing: what is not there.
    """

    key: str
    title: str
    kind: str
    gold: str
    notes: Tuple[str, ...]
    sentences: Tuple[str, ...]
    parts: Tuple[Part, ...]
    missing: Tuple[str, ...] = ()


def mean_words(outputs: Sequence[GoldOutput]) -> Optional[float]:
    """RETURNS (Optional[float]): Words and punctuation marks in a gold text, about as many as spaCy
    finds; None without texts.
    """
    sizes = [len(re.findall(r"\w+|[^\w\s]", output.text)) for output in outputs]
    return sum(sizes) / len(sizes) if sizes else None
