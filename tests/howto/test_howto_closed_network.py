"""docs/howto_closed_network.md: its short commands, where there is no network."""

import subprocess
import sys
from pathlib import Path

import pages
import pytest

CLOSED = ["unshare", "-n"]


def test_the_loop_runs_without_a_network(project):
    if subprocess.run([*CLOSED, "true"], capture_output=True).returncode != 0:
        pytest.skip("only root can close the network for a process")
    script = Path(__file__).parent / "closed.py"
    done = subprocess.run(
        [*CLOSED, sys.executable, str(script)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(project.posts)} of {len(project.posts)} texts in found.jsonl" in done.stdout


def test_an_address_outside_is_refused_before_anything_is_stored(project):
    (block,) = [b for b in pages.blocks("closed_network", "ini") if "local_only" in b]
    assert "local_only = true" in block and '"email"' in block
    model = {
        "@llm_models": "spacy-hitl.OpenAI.v1",
        "name": "m",
        "base_url": "https://api.example.org/v1",
    }
    project.edit(
        {"components.relevant.model": model, "hitl.privacy.local_only": True,
         "hitl.privacy.mask": ["email", "phone"]}
    )  # fmt: skip
    annotate = pages.commands("closed_network")[1]
    result = pages.run(f"{annotate} --quiet")
    assert result.exit_code == 1 and "H121" in result.output
    assert not Path("datasets").exists()
