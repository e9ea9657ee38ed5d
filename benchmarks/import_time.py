"""What spacy-hitl adds to `import spacy; spacy.blank("en")`: own modules, median of some runs.

usage: python benchmarks/import_time.py [RUNS]
"""

import json
import subprocess
import sys
from statistics import median


def own_milliseconds():
    command = [sys.executable, "-X", "importtime", "-c", "import spacy; spacy.blank('en')"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    total = 0
    modules = 0
    for line in lines:
        if not line.startswith("import time:") or "self [us]" in line:
            continue
        own, _, name = line.removeprefix("import time:").split("|")
        if name.strip().split(".")[0] == "spacy_hitl":
            total += int(own)
            modules += 1
    return total / 1000, modules


if __name__ == "__main__":
    runs = [own_milliseconds() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)]
    times = [t for t, _ in runs]
    figures = {"median_ms": median(times), "min_ms": min(times), "max_ms": max(times)}
    print(json.dumps({**figures, "modules": runs[0][1], "runs": len(runs)}))
