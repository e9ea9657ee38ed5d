"""Write the figures of the last `make demo` into README.md, between its two markers.

usage: python scripts/figures.py  (after make demo)
"""

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent
START, END = "<!-- figures: made by `make demo`, last table -->\n", "<!-- end of figures -->"
TASKS = {
    "product": "`product`, mentions, F",
    "link": "`link`, mention and id end to end, F",
    "attributes": "`attributes`, 8 labels, micro F",
    "relevant": "`relevant`, 2 classes, macro F",
}


def cell(system):
    return f"{system['score']:.3f} ({system['low']:.3f} to {system['high']:.3f})"


def rows():
    yield "| task | baseline | prompted | distilled | words/s | MB | |"
    yield "|---|---|---|---|---|---|---|"
    for task, title in TASKS.items():
        metrics = json.loads((ROOT / "metrics" / f"{task}.json").read_text())
        meta = json.loads((ROOT / "pipelines" / "phones" / "meta.json").read_text())["hitl"]
        by_role = {s["role"]: s for s in metrics["systems"]}
        student = by_role["student"]
        cells = [cell(by_role[role]) for role in ("baseline", "prompted", "student")]
        speed = f"{round(student['words_per_s'], -3):,.0f}"
        verdict = "promoted" if task in meta["students"] else "held"
        size = f"{student['megabytes']:.1f}"
        yield f"| {title} | {' | '.join(cells)} | {speed} | {size} | {verdict} |"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    table = "\n".join(rows())
    note = (
        "200 gold posts; in brackets the 95% interval, with posts as the units. Words/s: one "
        "shared core, median of the warm runs (another run gives another figure), `link` behind "
        "`product`."
    )
    readme.write_text(f"{before}{START}{table}\n\n{note}\n{END}{after}")
