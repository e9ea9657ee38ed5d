"""Draw what `cascade.py` measured.

    python benchmarks/cascade.py ... | tail -1 > result.json
    python benchmarks/cascade_figure.py result.json docs/images/cascade.svg

Prints the same as a table.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 420, 60, 50, 20, 30
STYLE = """
.paper { fill: #fbfaf7 } text { font: 13px Helvetica, Arial, sans-serif; fill: #333 }
.grid { stroke: #8884 }
.sure { stroke: #2563eb; fill: none; stroke-width: 2.5 } .band { fill: #2563eb; opacity: .15 }
.random { stroke: #888; fill: none; stroke-width: 2; stroke-dasharray: 6 4 }
.dot { fill: #2563eb }
"""


def draw(result: Dict[str, Any]) -> str:
    """RETURNS (str): An SVG: F by the share of texts asked about, with its interval."""
    shares: List[float] = result["shares"]
    values = [v for figure in (*result["f"], *result["f_random"]) for v in figure]
    low, high = math.floor(min(values) * 10) / 10, math.ceil(max(values) * 10) / 10

    def x(share: float) -> float:
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(f: float) -> float:
        return round(HEIGHT - BOTTOM - (f - low) / (high - low) * (HEIGHT - BOTTOM - TOP), 1)

    def path(fs: Sequence[float], xs: Sequence[float] = shares) -> str:
        return " ".join(f"{x(s)},{y(f)}" for s, f in zip(xs, fs, strict=True))

    steps = round((high - low) * 10)
    grid = [round(low + i / 10, 1) for i in range(steps + 1)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="F by the share of texts that the LLM is asked about">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="14"/>',
    ]
    for f in grid:
        lines.append(f'<path class="grid" d="M{x(0)} {y(f)}H{x(1)}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y(f) + 4}" text-anchor="end">{f:.1f}</text>')
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        at = HEIGHT - BOTTOM + 20
        lines.append(f'<text x="{x(share)}" y="{at}" text-anchor="middle">{share:.0%}</text>')
    lows, highs = ([f[i] for f in result["f"]] for i in (1, 2))
    band = f"{path(highs)} {path(lows[::-1], shares[::-1])}"
    lines += [
        f'<polygon class="band" points="{band}"/>',
        f'<polyline class="random" points="{path([f[0] for f in result["f_random"]])}"/>',
        f'<polyline class="sure" points="{path([f[0] for f in result["f"]])}"/>',
        *(
            f'<circle class="dot" cx="{x(s)}" cy="{y(f[0])}" r="3.5"/>'
            for s, f in zip(shares, result["f"], strict=True)
        ),
        f'<text x="{x(0.5)}" y="{HEIGHT - 8}" text-anchor="middle">'
        "share of the texts that the LLM is asked about</text>",
        f'<text x="{x(0.3)}" y="{y(_at(result, "f", 0.3)) - 36}" text-anchor="end">'
        "the least sure ones</text>",
        f'<text x="{x(0.5) + 12}" y="{y(_at(result, "f_random", 0.5)) + 20}">any</text>',
        f'<text x="{LEFT + 8}" y="{TOP + 4}">F</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _at(result: Dict[str, Any], name: str, share: float) -> float:
    return float(result[name][result["shares"].index(share)][0])


def table(result: Dict[str, Any]) -> str:
    """RETURNS (str): The same in Markdown."""
    lines = ["| asked | F, the least sure | F, any | difference |", "|---|---|---|---|"]
    columns = (result["shares"], result["f"], result["f_random"], result["gain"])
    for share, sure, random, gain in zip(*columns, strict=True):
        figures = (f"{v:.3f} ({a:.3f} to {b:.3f})" for v, a, b in (sure, random, gain))
        lines.append(f"| {share:.0%} | {' | '.join(figures)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("svg", type=Path)
    args = parser.parse_args()
    result = json.loads(args.result.read_text(encoding="utf8"))
    args.svg.write_text(draw(result), encoding="utf8")
    print(table(result))


if __name__ == "__main__":
    main()
