"""Configs with anything in their [hitl] section, or any bytes: settings, or an error."""

from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.util import load_config

from spacy_hitl.errors import HitlError
from spacy_hitl.pipeline.loading import load_config_file, settings_of
from spacy_hitl.settings import Settings, read_settings

NAMES = [
    *("dataset", "corpus", "data", "lanes", "promote", "privacy", "prices", "changes", "review"),
    *(
        "variants",
        "utility",
        "gold",
        "dev",
        "floors",
        "mask",
        "patterns",
        "router",
        "keys",
        "@misc",
    ),
    *("product", "rename", "input", "max_chars", "name", "version", "margin", "\ud800", "", "x"),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([10**400, 2**63, 0.5, float("nan"), float("inf"), "", "\x00", "\ud800"]),
    st.sampled_from(["../../x", "${paths.x}", "a" * 5000, "(((", "(a+)+$", "spacy-hitl.No.v1"]),
)
SECTIONS = st.dictionaries(
    st.sampled_from(NAMES),
    st.recursive(
        VALUES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
        ),
        max_leaves=8,
    ),
    max_size=5,
)
QUICK = settings(max_examples=150, suppress_health_check=list(HealthCheck))


@QUICK
@given(SECTIONS | VALUES | st.lists(VALUES, max_size=2))
def test_any_section(section: Any) -> None:
    try:
        assert isinstance(read_settings({"hitl": section}, path=Path("x.cfg")), Settings)
    except HitlError as e:
        assert str(e).startswith("[H0"), e
        assert "x.cfg" in str(e)


def good_lines() -> List[str]:
    return Path("configs/prototype.cfg").read_text().splitlines()


def test_any_bytes(project: Any) -> None:
    good = "\n".join(good_lines()).encode()
    path = Path("x.cfg")
    refused = 0

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(good)), st.integers(0, 30), st.binary(max_size=5))
    def check(at: int, gone: int, new: bytes) -> None:
        nonlocal refused
        path.write_bytes(good[:at] + new + good[at + gone :])
        try:
            settings_of(path)
        except HitlError as e:
            assert "x.cfg" in str(e), e
            refused += 1

    check()
    assert 10 < refused < 150


LINES = [
    "[hitl.review]\nrouter = {}",
    "[hitl.variants.x]",
    "[components.product.task]\nlabels = 3",
    '[components.product]\nfactory = "\\ud800"',
    "[components.product]\nfactory = ${components.product.factory}",
    "[nlp]\nlang = ${nlp.lang}",
    "[nlp]\npipeline = {}",
    "[nlp]\ntokenizer = 3",
    "[components]\nproduct = 3",
    "[hitl]\nx = " + "[" * 5000 + "]" * 5000,
    "[a]\nb = " + '{"c":' * 5000 + "1" + "}" * 5000,
    "[" + "a." * 3000 + "b]\nx = 1",
    "[hitl]\nx = " + "9" * 5000,
    "[initialize]\nvectors = 5",
    "[hitl.paths]\ndataset = null",
    "\x00",
    "= 1",
    "[%(x)s]\ny = %(z)s",
    "[x]\ny = ${z:w}",
]


@pytest.mark.parametrize("number", range(len(LINES)))
def test_lines_that_no_config_has(number: int, project: Any, fails: Any) -> None:
    """Alone, behind the others, and in place of the section of the same name."""
    more = LINES[number]
    path = Path("x.cfg")
    head = more.partition("\n")[0]
    kept, skip = [], False
    for line in good_lines():
        skip = line == head if line.startswith("[") else skip
        kept += [] if skip else [line]
    for lines in ([more], [*good_lines(), more], [*kept, more]):
        path.write_text("\n".join(lines))
        try:
            load_config_file(path)
        except HitlError as e:
            assert "x.cfg" in str(e) or str(e).startswith("[H1"), e


def test_a_config_of_another_coding(project: Any, fails: Any) -> None:
    for content in (b"\xff\xfe[\0n\0", b'[nlp]\nlang = "\xe9"', b"\x00\x01\x02" * 99):
        Path("x.cfg").write_bytes(content)
        with fails("H003", "x.cfg"):
            load_config_file(Path("x.cfg"))


def test_the_config_of_these_tests_is_good(project: Any) -> None:
    assert load_config(project.config)["hitl"]
    assert load_config_file(project.config)[1]
