"""Promotion: compose what passes, swap the link, touch nothing else."""

import json
import re
import threading
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest
import spacy
from promote_world import (
    CONFIG,
    LINK,
    annotations,
    left_over,
    load,
    make_ner,
    make_textcat,
    save,
    set_metrics,
    untouched,
    version_names,
)
from spacy.language import Language
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.about import __version__
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.io import folder_digest
from spacy_hitl.pipeline.compose import compose
from spacy_hitl.promote.run import promote
from spacy_hitl.promote.switch import swap
from spacy_hitl.records import TaskHeader

# Compose


def compose_on_disk(tmp_path: Path, *parts: Language) -> Language:
    nlp = compose([(f"part {i}", part) for i, part in enumerate(parts)])
    return load(save(nlp, tmp_path / "composed"))


def test_parts_work_as_they_did_alone(tmp_path: Path) -> None:
    """Two parts whose components listen to a tok2vec of the same name."""
    ner, textcat = make_ner(), make_textcat()
    alone = list(zip(annotations(ner), annotations(textcat), strict=True))
    assert any(ents for (ents, _, _), _ in alone)
    nlp = compose_on_disk(tmp_path, ner, textcat)
    assert nlp.pipe_names == ["sentencizer", "product", "relevant"]
    wanted = [(ents, cats, starts) for (ents, _, starts), (_, cats, _) in alone]
    assert annotations(nlp) == wanted
    models = json.dumps(nlp.config["components"])
    assert "Tok2VecListener" not in models and models.count("spacy.HashEmbedCNN.v2") == 2


def test_training_settings_are_spacys_own(tmp_path: Path) -> None:
    part = make_ner()
    part.config["training"]["max_steps"] = 77
    part.config["paths"]["train"] = "corpus/product.jsonl"
    part.config["corpora"] = {"train": {"@readers": "spacy-hitl.TaskCorpus.v1"}}
    nlp = compose_on_disk(tmp_path, part)
    blank = spacy.blank("xx").config
    weights = {"score_weights": {}}  # these follow from the components
    assert {**nlp.config["training"], **weights} == {**blank["training"], **weights}
    for section in ("corpora", "initialize", "paths"):
        assert nlp.config[section] == blank[section]


def ruled(name: str, *forms: str, **config: Any) -> Language:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", name=name, config=config)
    ruler.add_patterns([{"label": "PRODUCT", "pattern": form} for form in forms])
    return nlp


def with_sentencizer(punct: Optional[List[str]]) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": punct})
    return nlp


@pytest.mark.parametrize(
    "one, other, name",
    [
        (make_ner, make_ner, "product"),
        (lambda: make_ner("x"), lambda: make_textcat("x"), "x"),
        (lambda: ruled("x", "K9"), lambda: ruled("x", "K10"), "x"),
        (lambda: ruled("x"), lambda: ruled("x", overwrite_ents=True), "x"),
        (lambda: with_sentencizer(None), lambda: with_sentencizer(["!"]), "sentencizer"),
    ],
)
def test_different_components_of_one_name(
    one: Callable[[], Language], other: Callable[[], Language], name: str, fails: Any
) -> None:
    with fails("H504", "'first'", "'second'", f"'{name}'"):
        compose([("first", one()), ("second", other())])


def test_the_same_rules_are_shared() -> None:
    parts = [ruled("x", "K9"), ruled("x", "K9")]
    assert compose([("a", parts[0]), ("b", parts[1])]).pipe_names == ["x"]


def test_the_tokenizer_comes_along(tmp_path: Path) -> None:
    part = ruled("x", "K9")
    part.tokenizer.add_special_case("K9s", [{"ORTH": "K9"}, {"ORTH": "s"}])
    nlp = compose_on_disk(tmp_path, part)
    assert [e.text for e in nlp("two K9s").ents] == ["K9"]


# Promote


def test_promote_swaps_the_link(ready: Any) -> None:
    result = promote(CONFIG)
    assert [v.task for v in result.verdicts if v.passed] == ["product", "relevant"]
    assert (result.held, result.prompted, result.link) == ((), (), LINK)
    assert LINK.is_symlink() and LINK.resolve() == result.version.resolve()
    assert not LINK.readlink().is_absolute()
    assert result.version.parent == Path("versions")
    assert LINK.stat().st_mode & 0o055 == 0o055  # others may read it
    nlp = load(LINK)
    assert nlp.pipe_names == ["sentencizer", "product", "relevant"]
    assert "hitl" not in nlp.config and "spacy-hitl" not in (LINK / "config.cfg").read_text()
    parts = [load(Path(f"training/{task}/model-best")) for task in ("product", "relevant")]
    ents, cats = (annotations(part) for part in parts)
    assert [a[0] for a in annotations(nlp)] == [a[0] for a in ents]
    assert [a[1] for a in annotations(nlp)] == [a[1] for a in cats]


def test_lineage_is_written(ready: Any) -> None:
    set_metrics("relevant", 0.6)
    promote(CONFIG)
    meta = load(LINK).meta
    assert meta["name"] == "phones"
    lineage = meta["hitl"]
    header = read_corpus(Path("corpus/product.jsonl"))[0]
    assert list(lineage["students"]) == ["product"]
    wanted = {
        "kind": "ner",
        "task_digest": header.task_digest,
        "student_digest": folder_digest(Path("training/product/model-best")),
        "score": {"product_f": 0.9},
        "interval": [0.8, 1.0],
        "gold_texts": 8,
    }
    assert wanted.items() <= lineage["students"]["product"].items()
    assert (lineage["v"], lineage["spacy_hitl"], lineage["prompted"]) == (1, __version__, [])
    assert list(lineage["held"]) == ["relevant"]
    assert "below the floor" in lineage["held"]["relevant"][0]


def test_a_held_task_is_named_and_left_out(ready: Any) -> None:
    set_metrics("relevant", 0.6)
    result = promote(CONFIG)
    (held,) = result.held
    assert held.task == "relevant" and "0.600" in held.reasons[0]
    assert load(LINK).pipe_names == ["sentencizer", "product"]
    promoted = {t.task: t.promoted for t in project_status(CONFIG).tasks}
    assert promoted["product"] == "yes"
    assert promoted["relevant"] == "held"
    assert promoted["attributes"] == "no"


def test_held_tasks_can_stay_prompted(ready: Any) -> None:
    set_metrics("relevant", 0.6)
    result = promote(CONFIG, with_prompted=True)
    assert result.prompted == ("relevant",)
    nlp = load(LINK)
    assert nlp.pipe_names == ["sentencizer", "product", "relevant"]
    assert nlp.meta["hitl"]["prompted"] == ["relevant"]
    post = ready.posts[0]["text"]
    assert nlp(post).cats == {"RELEVANT": 1.0, "NOT_RELEVANT": 0.0}
    status = {t.task: t.promoted for t in project_status(CONFIG).tasks}
    assert status["relevant"] == "held, runs prompted"


def test_the_order_is_that_of_the_config(ready: Any) -> None:
    """Whether a component asks or is a student, it stands where it stood."""
    for task in ("link", "attributes"):
        set_metrics(task, 0.1)  # it has no floor
    assert promote(CONFIG, with_prompted=True).prompted == ("link", "attributes")
    nlp = load(LINK)
    assert nlp.pipe_names == ["sentencizer", "product", "link", "attributes", "relevant"]
    doc = nlp(ready.posts[0]["text"])
    assert {"BATTERY_POSITIVE", "RELEVANT"} < set(doc.cats)


def test_the_number_of_a_package(ready: Any) -> None:
    """The same for the same, another for anything else; it starts as the project says."""

    def number() -> str:
        promote(CONFIG)
        version: str = load(LINK).meta["version"]
        return version

    first = number()
    assert re.fullmatch(r"0\.0\.0\+g[0-9a-f]{8}", first) and number() == first
    set_metrics("relevant", 0.75)
    second = number()
    assert second not in (first, "") and second.startswith("0.0.0+g")
    ready.edit({"hitl.promote.version": "1.2"})
    assert number().startswith("1.2+g")


def test_a_new_version_leaves_the_old_one(ready: Any) -> None:
    first = promote(CONFIG).version
    digest = folder_digest(first)
    assert promote(CONFIG).version == first  # the same again is the same version
    set_metrics("relevant", 0.75)
    second = promote(CONFIG).version
    assert second != first and LINK.resolve() == second.resolve()
    assert folder_digest(first) == digest
    assert version_names() == sorted([first.name, second.name])
    assert left_over() == []


def test_production_loses_no_task_unasked(ready: Any) -> None:
    """A task that is held now and runs in production, whether as a student or prompted."""
    first = promote(CONFIG).version
    set_metrics("relevant", 0.6)
    before = untouched()
    result = promote(CONFIG)
    assert [v.task for v in result.held] == ["relevant"] and result.missing == ("relevant",)
    assert (result.link, result.version) == (None, None) and untouched() == before
    done = CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), "--strict"])
    said = " ".join(done.output.split())
    assert done.exit_code == 3 and "production would lose relevant" in said
    assert "--with-prompted" in said and "--drop-held" in said and untouched() == before
    prompted = promote(CONFIG, with_prompted=True)
    assert prompted.missing == () and load(LINK).pipe_names[-1] == "relevant"
    assert promote(CONFIG).missing == ("relevant",)
    assert LINK.resolve() == Path(str(prompted.version)).resolve()
    done = CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), "--drop-held"])
    assert done.exit_code == 0 and load(LINK).pipe_names == ["sentencizer", "product"]
    set_metrics("relevant", 0.8)
    assert promote(CONFIG).version == first


def test_nothing_is_promoted_if_all_are_held(ready: Any) -> None:
    promote(CONFIG)
    before = untouched()
    ready.edit({"hitl.promote.min_gold": 9})
    result = promote(CONFIG)
    assert (result.link, result.version, len(result.held)) == (None, None, 2)
    assert untouched() == before


def test_a_student_measured_with_a_held_one_is_held(ready: Any) -> None:
    set_metrics("product", 0.6)
    set_metrics("relevant", 0.9, needs=(("product", "digest"),))
    assert [v.task for v in promote(CONFIG).held] == ["product", "relevant"]
    assert not LINK.exists()


def test_a_real_folder_is_never_replaced(ready: Any, fails: Any) -> None:
    save(make_ner(), LINK)
    before = folder_digest(LINK)
    with fails("H503", f"'{LINK}'"):
        promote(CONFIG)
    assert not LINK.is_symlink() and folder_digest(LINK) == before


def test_metrics_of_another_training_are_refused(ready: Any, fails: Any) -> None:
    promote(CONFIG)
    before = untouched()
    trained = Path("training").resolve()
    Path("training").unlink()
    save(make_ner(seed=7), Path("training/product/model-best"))
    Path("training/relevant").symlink_to(trained / "relevant")
    with fails("H505", "metrics/product.json", "training/product/model-best", "evaluate"):
        promote(CONFIG)
    assert untouched() == before


def test_what_is_missing_is_named(ready: Any, fails: Any) -> None:
    Path("metrics/relevant.json").write_text("{")
    with fails("H004", "metrics/relevant.json"):
        promote(CONFIG)
    Path("metrics/relevant.json").unlink()
    with fails("H500", "'relevant'", "metrics"):
        promote(CONFIG)
    ready.edit({"hitl.promote.floors": {"product": 0.7}})
    assert load(promote(CONFIG).link).pipe_names == ["sentencizer", "product"]
    before = untouched()
    Path("training").unlink()
    with fails("H001", "training/product/model-best"):
        promote(CONFIG)
    Path("training/product/model-best").mkdir(parents=True)
    with fails("H501", "training/product/model-best"):
        promote(CONFIG)
    ready.edit({"hitl.promote.floors": {}})
    Path("metrics/product.json").unlink()
    with fails("H500", "'any'"):
        promote(CONFIG)
    assert untouched() == before


def test_a_full_disk_leaves_production(ready: Any, small_disk: Any, fails: Any) -> None:
    promote(CONFIG)
    before = untouched()
    set_metrics("relevant", 0.75)
    ready.edit({"hitl.versions": str(small_disk.folder / "versions")})
    small_disk.fill()
    with fails("H007", "Free some disk space"):
        promote(CONFIG)
    small_disk.free()
    assert untouched() == before
    assert [p.name for p in (small_disk.folder / "versions").glob("*")] == [".lock"]
    assert load(LINK).pipe_names == ["sentencizer", "product", "relevant"]


def test_the_link_is_there_at_every_moment(tmp_path: Path) -> None:
    versions = [tmp_path / "versions" / name for name in "ab"]
    for version in versions:
        version.mkdir(parents=True)
        (version / "meta.json").write_text(version.name)
    link = tmp_path / "pipelines" / "phones"
    swap(link, versions[0])
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add((link / "meta.json").read_text())
            except OSError as e:
                seen.add(repr(e))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(100):
        swap(link, versions[i % 2])
    stop.set()
    reader.join(60)
    assert seen == {"a", "b"}
    assert {p.name for p in link.parent.iterdir()} == {"phones", ".phones.history.jsonl"}


@pytest.mark.parametrize(
    "relevant, options, code, says",
    [
        (0.8, [], 0, "pass"),
        (0.8, ["--strict"], 0, "pass"),
        (0.6, [], 0, "relevant: held"),
        (0.6, ["--strict"], 3, "relevant: held"),
        (0.6, ["--with-prompted"], 0, "Added as prompted components: relevant"),
    ],
)
def test_the_command(relevant: float, options: List[str], code: int, says: str, ready: Any) -> None:
    set_metrics("relevant", relevant)
    done = CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), *options])
    assert done.exit_code == code and says in done.output
    assert "versions/" in done.output and LINK.exists()


def test_the_command_says_that_nothing_was_promoted(ready: Any) -> None:
    ready.edit({"hitl.promote.min_gold": 9})
    for options, code in (([], 0), (["--strict"], 3)):
        done = CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), *options])
        assert done.exit_code == code
        assert "Production is unchanged" in " ".join(done.output.split())
    assert not LINK.exists() and not Path("versions").exists()


def test_headers_are_those_of_the_corpora(ready: Any) -> None:
    """The fixture stands on the real config: what it promotes is one of its tasks."""
    assert isinstance(read_corpus(Path("corpus/product.jsonl"))[0], TaskHeader)
    assert set(load_config(CONFIG)["hitl"]["promote"]["floors"]) == {"product", "relevant"}
