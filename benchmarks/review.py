"""How fast the review page answers a key, how long it takes to start, and whether anything is lost.

Made-up texts of 60 tokens with 5 proposed spans and a category each, a tenth of them gold. The page
runs in a real headless Chromium (Debian's; path in CHROMIUM), with its own security on: accept is
pressed at an even pace, and the browser's clock says when the key went down, when the server had
committed the answer (SQLite, synchronous=FULL) and acknowledged it, and when the next text was
painted. Then simulated annotators answer over HTTP, all at once; then again while the server is
killed (SIGKILL) and started again. Start is from the start of the process to the printed link.

usage: python benchmarks/review.py [--quick] [--small 10000] [--large 100000] [--answers 300]
The last line is JSON.
"""

import argparse
import json
import tempfile
from pathlib import Path

from review_page import measure_page
from review_people import crowd
from review_project import make_project


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=10_000, help="texts in the smaller queue")
    parser.add_argument("--large", type=int, default=100_000, help="texts in the larger queue")
    parser.add_argument("--answers", type=int, default=300, help="keys pressed in the page")
    parser.add_argument("--crowd", type=int, default=5_000, help="answers of the annotators")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it runs")
    args = parser.parse_args()
    if args.quick:
        args.small, args.large, args.answers, args.crowd, args.kills = 500, 2_000, 40, 300, 2
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, count in (("10k", args.small), ("100k", args.large)):
            project = Path(folder) / name
            print(f"making {count:,} texts")
            make_project(project, count)
            found[name] = measure_page(project, answers=args.answers)
            print(f"{count:,} queued: {found[name]}")
        for name, kills in (("crowd", 0), ("killed", args.kills)):
            project = Path(folder) / name
            make_project(project, args.small, seed=len(name))
            found[name] = crowd(project, people=args.people, answers=args.crowd, kills=kills)
            print(f"{args.people} annotators, {kills} kills: {found[name]}")
    print(
        json.dumps(
            {
                "p99_ms_10k": found["10k"]["p99_ms"],
                "p99_ms_100k": found["100k"]["p99_ms"],
                "paint_p95_ms": max(found[n]["paint_p95_ms"] for n in ("10k", "100k")),
                "start_s_100k": found["100k"]["start_s"],
                "duplicates": found["crowd"]["duplicates"] + found["killed"]["duplicates"],
                "lost": found["crowd"]["lost"] + found["killed"]["lost"],
                "torn": found["crowd"]["torn"] + found["killed"]["torn"],
                "answers": found["crowd"]["answers"] + found["killed"]["answers"],
                "kills": args.kills,
                "texts": [args.small, args.large],
                **{f"{name}_{key}": v for name, some in found.items() for key, v in some.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
