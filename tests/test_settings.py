"""[hitl] of a config: defaults, and what is refused with its name."""

from pathlib import Path
from typing import Any

import pytest

from spacy_hitl.records import TaskChanges
from spacy_hitl.settings import Price, Settings, read_settings

HERE = Path("some.cfg")


def test_defaults() -> None:
    assert read_settings({}, path=HERE) == Settings()
    assert Settings().dataset == Path("datasets/hitl.db")


def test_values_are_read() -> None:
    config = {
        "hitl": {
            "dataset": "x.db",
            "lanes": {"gold": 0.2, "salt": "mine"},
            "promote": {"name": "phones", "floors": {"product": 1}, "min_gold": 3},
            "data": {"text_field": "body", "max_chars": 9},
            "changes": {"product": {"rename": {"OLD": "NEW"}, "recheck": ["NEW"]}},
            "prices": [{"model": "llama3.1", "input": 1, "output": 4}],
            "review": {"gold_share": 1, "router": {"@misc": "x"}, "keys": "keys.json"},
        }
    }
    settings = read_settings(config, path=HERE)
    assert settings.dataset == Path("x.db")
    assert (settings.lanes.gold, settings.lanes.dev, settings.lanes.salt) == (0.2, 0.1, "mine")
    assert settings.promote.floors == {"product": 1.0}
    assert settings.prices == {"llama3.1": Price(1.0, 4.0)}
    by_name = {"hitl": {"prices": {"the-model": {"input": 1, "output": 4}}}}
    assert read_settings(by_name, path=HERE).prices == {"the-model": Price(1.0, 4.0)}
    assert settings.changes == {"product": TaskChanges({"OLD": "NEW"}, recheck=("NEW",))}
    assert (settings.review.gold_share, settings.review.router) == (1.0, {"@misc": "x"})
    assert settings.review.keys == Path("keys.json")
    assert (settings.data.id_field, settings.data.text_field) == ("id", "body")


@pytest.mark.parametrize(
    "section, name",
    [
        ({"datasett": "x"}, "datasett"),
        ({"lanes": {"golden": 0.1}}, "lanes.golden"),
        ({"data": {"max_chars": "many"}}, "data.max_chars"),
        ({"promote": {"floors": {"product": "high"}}}, "promote.floors.product"),
        ({"promote": {"floors": 0.5}}, "promote.floors"),
        ({"promote": {"name": "../phones"}}, "promote.name"),
        ({"promote": {"version": "1.0-beta"}}, "promote.version"),
        ({"promote": {"label_floors": {"product": 0.5}}}, "promote.label_floors.product"),
        ({"promote": {"beats_baseline": "surely"}}, "promote.beats_baseline"),
        ({"promote": {"margin": -0.1}}, "promote.margin"),
        ({"promote": {"production_margin": float("nan")}}, "promote.production_margin"),
        ({"promote": {"min_words_per_s": -1}}, "promote.min_words_per_s"),
        ({"lanes": {"gold": 0.6, "dev": 0.4}}, "lanes"),
        ({"lanes": {"gold": -0.1}}, "lanes"),
        ({"lanes": {"dev": float("nan")}}, "lanes"),
        ({"changes": {"product": {"renamed": {"A": "B"}}}}, "changes.product.renamed"),
        ({"changes": {"product": {"rename": {"A": ["B"]}}}}, "changes.product.rename.A"),
        ({"changes": {"product": {"recheck": "A"}}}, "changes.product.recheck"),
        ({"prices": [{"input": 1, "output": 4}]}, "prices"),
        ({"prices": ["llama3.1"]}, "prices"),
        ({"prices": [{"model": "a", "input": 1, "output": 4}] * 2}, "prices"),
        ({"prices": [{"model": "a.b", "input": 1}]}, "prices.a.b.output"),
        ({"prices": 3}, "prices"),
        ({"review": {"gold_share": 1.5}}, "review.gold_share"),
        ({"review": {"gold_share": float("nan")}}, "review.gold_share"),
        ({"review": {"random_share": 0}}, "review.random_share"),
        ({"review": {"random_share": 0.5, "recall_share": 0.6}}, "review"),
        ({"review": {"overlap": 0}}, "review.overlap"),
        ({"review": {"pool": 0}}, "review.pool"),
        ({"review": {"lease_minutes": 0}}, "review.lease_minutes"),
        ({"review": {"router": "Random"}}, "review.router"),
        ({"review": {"prefetch": 1000}}, "review.prefetch"),
        ({"review": {"gold": 0.1}}, "review.gold"),
    ],
)
def test_refused_values_are_named(section: Any, name: str, fails: Any) -> None:
    with fails("H012", f"'{name}'", HERE):
        read_settings({"hitl": section}, path=HERE)
