"""Plots of curves: what more decisions bring, what a threshold does, whether scores are true."""

from typing import Optional

import numpy as np

from ...scoring.curves import Curve, slope_sentence
from ...scoring.results import SystemScore, TaskMetrics
from . import figures
from .drawing import COLOURS, Plot, dot, drawing, to_plot
from .scored import Judged, reliability, threshold_curve


def curve_plot(m: TaskMetrics, curve: Curve) -> Optional[Plot]:
    """RETURNS (Optional[Plot]): The learning curve; None with fewer than two points."""
    if len(curve.points) < 2:
        return None
    key = f"{figures.key(m)}-curve"
    x = [p.texts for p in curve.points]
    with drawing(2.9, key) as (figure, axes):
        low, high = [p.low for p in curve.points], [p.high for p in curve.points]
        axes.fill_between(x, low, high, color=COLOURS["s2"], alpha=0.16, linewidth=0)
        axes.plot(x, [p.score for p in curve.points], color=COLOURS["s2"], marker="o", markersize=6)
        axes.set_xlim(left=0)
        axes.set_xlabel("reviewed texts it learned from")
        axes.set_ylabel(figures.metric_name(m))
        axes.grid(axis="y")
        text = "; ".join(
            f"{p.texts:.0f} texts: {figures.score(p.score)} ({figures.interval(p.low, p.high)})"
            for p in curve.points
        )
        title = "Learning curve of the student with its 95% interval"
        return to_plot(figure, key, title=title, text=text, note=slope_sentence(curve))


def threshold_plot(m: TaskMetrics, subject: SystemScore, judged: Judged) -> Plot:
    """RETURNS (Plot): Precision, recall and F by the lowest score that is kept."""
    key, curve = f"{figures.key(m)}-threshold", threshold_curve(judged)
    best = int(np.argmax(curve.f))
    with drawing(3.1, key) as (figure, axes):
        axes.fill_between(
            curve.thresholds, curve.low, curve.high, color=COLOURS["s2"], alpha=0.16, linewidth=0
        )
        lines = (
            ("precision", curve.precision, "e2", "--"),
            ("recall", curve.recall, "e1", ":"),
            ("F", curve.f, "s2", "-"),
        )
        for name, values, colour, style in lines:
            axes.plot(curve.thresholds, values, color=COLOURS[colour], linestyle=style, label=name)
        if subject.threshold is not None and judged.label is None:
            axes.axvline(subject.threshold, color=COLOURS["ink"], linewidth=1)
            axes.annotate(
                f"in use: {subject.threshold:.2f}",
                (subject.threshold, 0.02),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=9,
            )
        axes.set_ylim(0, 1.02)
        axes.set_xlim(float(curve.thresholds[0]), 1)
        axes.set_xlabel("lowest score that is kept")
        axes.grid()
        figure.legend(loc="outside upper left", ncols=3)
        note = (
            f"F would be highest ({figures.score(float(curve.f[best]))}) at "
            f"{curve.thresholds[best]:.2f}. Choose thresholds on dev: gold only measures. "
            "The band is the 95% interval of F."
        )
        if judged.lowest is not None:
            note += " What scored lower than the left end was never kept."
        of = "" if judged.label is None else f" of “{judged.label}” (the rarest label)"
        title = f"Precision, recall and F{of} by threshold"
        text = (
            f"At the threshold with the highest F, {curve.thresholds[best]:.2f}: "
            f"F {curve.f[best]:.3f}, precision {curve.precision[best]:.3f}, "
            f"recall {curve.recall[best]:.3f}"
        )
        return to_plot(figure, key, title=title, text=text, note=note)


def calibration_plot(m: TaskMetrics, judged: Judged) -> Plot:
    """RETURNS (Plot): A reliability diagram: share that is right by score, with counts."""
    key = f"{figures.key(m)}-calibration"
    bins, error = reliability(judged)
    with drawing(3.6, key) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=1, linestyle="--")
        for b in bins:
            dot(axes, b.right, b.score, (b.low, b.high), rank=2, upright=True)
            axes.annotate(
                f"{b.count:,}",
                (b.score, b.high),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=COLOURS["muted"],
            )
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.09)
        axes.set_box_aspect(0.55)
        axes.set_xlabel("score")
        axes.set_ylabel("share that is right")
        axes.grid()
        note = "On the dashed line, a score can be read as a probability. Small numbers: how many."
        if error is not None:
            note += (
                f" Expected calibration error {figures.score(error.value)} "
                f"({figures.interval(error.low, error.high)})."
            )
        text = "; ".join(f"score {b.score:.2f}: {b.right:.2f} of {b.count}" for b in bins)
        title = "Calibration: how often annotations with a score are right"
        return to_plot(figure, key, title=title, text=text, note=note)
