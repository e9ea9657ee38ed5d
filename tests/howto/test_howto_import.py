"""docs/howto_import.md: the files of the page go in, and what it says of them is so."""

import re
from collections import Counter
from pathlib import Path

import pages
import pytest
import spacy
from spacy.tokens import DocBin

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """The page's files in the current folder; the commands of the page, none typed yet."""
    monkeypatch.chdir(tmp_path)
    pages.write_files("import")
    doc = spacy.blank("en")("Two K6, one broken")
    doc.ents = [doc.char_span(4, 6, label="PHONE")]
    DocBin(docs=[doc]).to_disk("old_gold.spacy")
    return pages.commands("import")


def decided(text):
    """Who said what of a text, with what it was about."""
    with Dataset(Path("datasets/hitl.db")) as dataset:
        return [
            (d.annotator, d.action, [text[s.start : s.end] for s in d.annotation.spans])
            if d.annotation
            else (d.annotator, d.action, None)
            for d in dataset.decisions("product", text_digest(text))
        ]


def test_prodigy_line_by_line(shown):
    said = pages.run_well(shown[0])
    (output,) = [block for block in pages.blocks("import", "text") if "new texts: 6" in block]
    assert said == " ".join(output.split())
    assert decided("My K10 died") == [("ann", "accept", ["K10"])]
    assert decided("asdf jkl")[0][:2] == ("ann", "reject")
    assert decided("Kestrel what?")[0][:2] == ("ann", "skip")
    assert decided("K9 by Orion") == [("bo", "accept", ["K9"])]
    assert decided("K9 or K10") == decided("The K9 is ok") == []
    with Dataset(Path("datasets/hitl.db")) as dataset:
        (proposal,) = dataset.proposals("product", text_digest("The K9 is ok"))
        assert proposal.source == "old-model"


def test_all_commands_of_the_page_in_their_order(shown):
    said = {}
    for command in shown:
        assert command not in said
        said[command] = pages.run_well(command)
    of = {name: [said[c] for c in shown if f"--format {name}" in c and "import" in c]
          for name in ("label-studio", "doccano", "docbin")}  # fmt: skip
    assert "decisions read: 3" in of["label-studio"][0]
    assert decided("Selling a K8") == [("cy@example.org", "accept", ["K8"])]
    assert decided("no phone at all") == [("2", "accept", [])]
    assert decided("?")[0][1] == "skip"
    first, confirmed = of["doccano"]
    assert "1 x texts without labels, stored without a decision" in first
    assert "of these new: 1" in confirmed and "new texts: 0" in confirmed
    assert decided("Two K6, one broken") == [("old-gold", "accept", ["K6"])]
    assert Path("out/prodigy/product.jsonl").exists()
    assert Path("out/label-studio/product.xml").exists()


def test_a_second_import_stores_nothing_and_lanes_stay(shown):
    pages.run_well(shown[0])
    before = lanes()
    assert "of these new: 0" in pages.run_well(shown[0])
    assert lanes() == before and sum(before.values()) == 6


def test_a_test_set_that_was_stored_before_stays_gold(shown):
    (store,) = re.findall(r"`(spacy hitl annotate [^`]* --limit 0)`", pages.read_page("import"))
    line = '{"id": "x1", "text": "My K10 died", "lane": "gold"}'
    Path("testset.jsonl").write_text(line + "\n")
    assert "1 new texts, 0 annotated" in pages.run_well(store)
    pages.run_well(shown[0])
    with Dataset(Path("datasets/hitl.db")) as dataset:
        assert text_digest("My K10 died") in {d for d, *_ in dataset.texts(lanes=("gold",))}


def test_a_broken_record_names_its_line_and_nothing_is_stored(shown):
    path = Path("prodigy/product.jsonl")
    path.write_text(path.read_text() + '{"text": "K1", "spans": [{"start": 0}]}\n')
    result = pages.run(shown[0])
    assert result.exit_code == 1 and "product.jsonl:7" in result.output
    assert not Path("datasets/hitl.db").exists() or not lanes()


def lanes():
    with Dataset(Path("datasets/hitl.db")) as dataset:
        return Counter(lane for _, lane, *_ in dataset.texts(lanes=("gold", "dev", "train")))
