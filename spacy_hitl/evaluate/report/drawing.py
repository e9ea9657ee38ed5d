"""Drawings that follow the page: SVG from matplotlib, with colours that are CSS variables.

matplotlib can't draw in `var(--ink)`; it draws in colours that nothing else has, and these are
replaced. No state of pyplot is touched, and the same figure always gives the same bytes.
"""

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

NAMES = (
    "ink",
    "muted",
    "line",
    "paper",
    "on",
    "s0",
    "s1",
    "s2",
    "s3",
    "e0",
    "e1",
    "e2",
    "e3",
    "e4",
)
COLOURS: Dict[str, str] = {name: f"#{0x0B1E00 + i:06x}" for i, name in enumerate(NAMES)}
MARKERS = ("s", "D", "o", "^")  # by role: nobody has to tell systems by colour alone
WIDTH = 7.2  # inches; 72 points each
STYLE: Dict[str, Any] = {
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.labelcolor": COLOURS["ink"],
    "lines.linewidth": 2.0,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.color": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["ink"],
}


@dataclass(frozen=True)
class Plot:
    """A drawing and what it says in words.

    key: unique on the page. title: what it shows. text: what can be seen in it, for who can't see
    it. svg: the drawing. note: how to read it.
    """

    key: str
    title: str
    text: str
    svg: Markup
    note: str = ""


@contextmanager
def drawing(height: float, key: str) -> Iterator[Tuple[Figure, Axes]]:
    """Set the style for a drawing, and only for it.

    height (float): In inches.
    key (str): Unique on the page.
    YIELDS (Tuple[Figure, Axes]): What to draw on; call `to_plot` before the end.
    """
    # Whatever is set in a matplotlibrc file: the same evidence is to give the same bytes.
    default = {k: v for k, v in mpl.rcParamsDefault.items() if k not in ("backend", "interactive")}
    style: Any = {**default, **STYLE, "svg.hashsalt": key}
    with mpl.rc_context(style), warnings.catch_warnings():
        # A letter that matplotlib's own font lacks is drawn by the browser, which has more fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        axes.tick_params(length=3)
        yield figure, axes


def to_plot(figure: Figure, key: str, *, title: str, text: str, note: str = "") -> Plot:
    """RETURNS (Plot): What was drawn; arguments as in `Plot`."""
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=nothing)
    return Plot(key, title, text, clean(buffer.getvalue(), key, title=title, text=text), note)


def clean(svg: str, key: str, *, title: str, text: str) -> Markup:
    """Make a drawing part of a page.

    svg (str): What matplotlib wrote.
    key (str): Put before every id, since a page may have an id only once.
    title, text (str): What assistive technology reads.
    RETURNS (Markup): The svg element alone.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{key}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\g<1>#{key}-", svg)
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None
    head = (
        f'<svg role="img" aria-labelledby="{key}-title {key}-desc" viewBox="0 0 {box[1]} {box[2]}" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(text)}</desc>'
    )
    svg = head + svg[svg.index(">") + 1 :]
    return Markup(re.sub(r"\n\s*", "\n", svg).strip())  # noqa: S704 (matplotlib escapes what it is given)


def dot(
    axes: Axes,
    y: float,
    x: float,
    bounds: Optional[Tuple[float, float]],
    *,
    rank: int,
    hollow: bool = False,
    upright: bool = False,
    label: Optional[str] = None,
) -> None:
    """A point with its interval, in the colour and the shape of a role."""
    colour = COLOURS[f"s{min(rank, 3)}"]
    if bounds is not None:
        low, high = bounds
        if upright:
            axes.plot([x, x], [low, high], color=colour, solid_capstyle="round")
        else:
            axes.plot([low, high], [y, y], color=colour, solid_capstyle="round")
    axes.plot(
        x,
        y,
        marker=MARKERS[min(rank, 3)],
        markersize=7,
        linestyle="",
        color=colour,
        markerfacecolor=COLOURS["paper"] if hollow else colour,
        label=label,
    )


def name_rows(axes: Axes, names: Sequence[str], *, label: str) -> None:
    """Named rows, the first on top."""
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    axes.grid(axis="x")


def shorten(name: str, *, width: int = 28) -> str:
    """RETURNS (str): The beginning of a long name."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def score_axis(axes: Axes, lowest: float) -> None:
    """From a little below the lowest value to 1; never cut so that a small difference looks big
    without the axis saying so.
    """
    start = max(0.0, np.floor((lowest - 0.02) * 10) / 10)
    reach = 1.0 - start
    axes.set_xlim(start - 0.02 * reach, 1.0 + 0.02 * reach)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
