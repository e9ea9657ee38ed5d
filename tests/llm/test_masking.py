"""Masking: what is found, what is left alone, and that turning back is the exact inverse."""

import json
import time

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.errors import InputError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.mask_rules import BUILT_IN, luhn, make_rule, make_rules
from spacy_hitl.llm.masking import (
    mask,
    mask_request,
    unmask,
    unmask_answer,
    unmask_response,
)
from spacy_hitl.records import Message, Request, Response
from spacy_hitl.tasks.base import find_text, text_block
from spacy_hitl.tasks.spans import parse_quotes

NLP = spacy.blank("en")
# The last two hold what JSON must escape, and what stands inside other values.
PATTERNS = {"ticket": r"TCK-\d{6}", "quoted": '["][a-z\\\\\n]{1,20}"', "digit": "7"}
RULES = make_rules(BUILT_IN, PATTERNS)


def found(kind, text):
    """The values that one built-in rule finds."""
    return list(mask(text, make_rules([kind], {})).replacements.values())


@pytest.mark.parametrize(
    "kind, text, values",
    [
        ("email", "Mail john.doe+x@mail.example.co.uk.", ["john.doe+x@mail.example.co.uk"]),
        ("email", "<a@b.de>,'c@d.org' mailto:e@f.net", ["a@b.de", "c@d.org", "e@f.net"]),
        ("email", "O'Brien@x.ie müller@exämple.de", ["O'Brien@x.ie", "müller@exämple.de"]),
        ("email", "write to a@x.com.2 parcels", ["a@x.com"]),
        ("email", "@handle, 3@1.50, root@localhost, a @ b.de", []),
        ("phone", "+49 (0)30 123456-78", ["+49 (0)30 123456-78"]),
        ("phone", "(030) 123 456; 0049 30 123456", ["(030) 123 456", "0049 30 123456"]),
        ("phone", "212-555-0100 or 555-1234", ["212-555-0100", "555-1234"]),
        ("phone", "06.12.34.56.78 22 12 34 56", ["06.12.34.56.78 22 12 34 56"]),
        ("phone", "电话13812345678。", ["13812345678"]),
        ("phone", "2024-01-02 212-555-0100", ["212-555-0100"]),
        ("phone", "on 2024-01-02 at 10:30, 01/02/2024, 1.2.24, 2019-2020", []),
        ("phone", "188 226 512 g, 1 200 000 of 12 345, 0.123456789, 6.1 x 3", []),
        ("phone", "K1000-T0466, deadbeef1234567890, 12345", []),
        ("card", "4111 1111 1111 1111 12/27 123", ["4111 1111 1111 1111"]),
        ("card", "4111111111111111 123", ["4111111111111111"]),
        ("card", "4111-1111-1111-1111 123", ["4111-1111-1111-1111"]),
        ("card", "3782 822463 10005", ["3782 822463 10005"]),
        ("card", "1234 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("card", "4111 1111 1111 1112 and 4111111111111112", []),
        ("ip", "10.0.0.1:8080 and 1.2.3.4.", ["10.0.0.1", "1.2.3.4"]),
        ("ip", "at 2001:db8::1. [::ffff:8.8.8.8]", ["2001:db8::1", "::ffff:8.8.8.8"]),
        ("ip", "fe80::1%eth0 ::1", ["fe80::1", "::1"]),
        ("ip", "std::vector a :: b 10:30:00 aa:bb:cc:dd:ee:ff 999.1.1.1 1.2.3", []),
    ],
)
def test_what_is_found(kind, text, values):
    assert found(kind, text) == values


@pytest.mark.parametrize("number", ["79927398713", "4111111111111111", "378282246310005"])
def test_luhn(number):
    assert luhn(number)
    wrong = str((int(number[-1]) + 1) % 10)
    assert not luhn(number[:-1] + wrong)


def test_equal_values_have_equal_placeholders():
    masked = mask("a@b.de c@d.de a@b.de TCK-123456", RULES)
    assert masked.text == "[EMAIL_1] [EMAIL_2] [EMAIL_1] [TICKET_1]"


def test_a_placeholder_of_the_text_is_not_used():
    masked = mask("[EMAIL_1] [EMAIL_3] a@b.de c@d.de", RULES)
    assert masked.text == "[EMAIL_1] [EMAIL_3] [EMAIL_2] [EMAIL_4]"


def test_of_overlapping_values_nothing_is_left():
    assert mask("call +4917 030 123456", RULES).text == "call [PHONE_1]"
    rules = make_rules(["email"], {"word": "secret john"})
    masked = mask("the secret john@x.de", rules)
    assert masked.text == "the [WORD_1]"
    assert list(masked.replacements.values()) == ["secret john@x.de"]


def test_nothing_found_nothing_changed():
    assert mask("plain", RULES).text == "plain"
    assert mask("plain", RULES).replacements == {}


# User patterns


@pytest.mark.parametrize(
    "name, pattern, words",
    [
        ("x", "(", "not a regular expression"),
        ("x", r"\d+", "upper bound"),
        ("x", r"(a{1,9}){2,}", "upper bound"),
        ("x", r"(?:a{1,9}){1,9}b", "ways"),
        ("x", r"(?:a|a){1,60}b", "ways"),
        ("x", r"a{0,5}", "empty"),
        ("x", "", "empty"),
        ("x", r'"TCK-\d{6}"', "JSON"),
        ("1x", "a", "name"),
        ("x y", "a", "name"),
        ("x" * 41, "a", "name"),
    ],
)
def test_bad_patterns_are_refused(name, pattern, words, fails):
    with fails("H120", f"'{name}'", words):
        make_rule(name, pattern)


def test_unknown_rule_is_refused(fails):
    with fails("H120", "'mail'", "email, card, ip, phone"):
        make_rules(["mail"], {})


@pytest.mark.parametrize(
    "pattern", [r"(?i)dr\. \w{1,60}+", r"\bA(?:foo|bar){1,3}\b", r"(?<=No )\d{1,9}", "(x)(?(1)y|z)"]
)
def test_good_patterns(pattern):
    assert make_rule("x", pattern).name == "X"


@given(st.text(alphabet="ab()[]{}|*+?.,123\\d", max_size=12), st.text(alphabet="ab1", max_size=60))
def test_a_pattern_is_refused_or_harmless(pattern, text):
    try:
        rules = (make_rule("x", pattern),)
    except InputError as e:
        assert str(e).startswith("[H120]")
    else:
        masked = mask(text, rules)
        assert unmask(masked.text, masked.replacements) == text


# Time

SLOW = {
    "letters": "a" * 50_000,
    "dots": "a." * 25_000,
    "at": "a@" * 25_000,
    "domain": "a@" + "a." * 25_000,
    "digits": "1" * 50_000,
    "single digits": "1 " * 25_000,
    "zeros": "0-" * 25_000,
    "plus": "+1" * 25_000,
    "groups of four": "1111 " * 10_000,
    "bad cards": "4111 1111 1111 1112 " * 2_500,
    "good cards": "4111 1111 1111 1111 " * 2_500,
    "colons": ":" * 50_000,
    "hex": "a:" * 25_000,
    "ips": "1." * 25_000,
    "brackets": "[" * 50_000,
    "placeholders": "[EMAIL_1]" * 5_500,
    "half placeholder": "[" + "A_1" * 16_000,
    "mails": "a@b.cd " * 7_000,
    "quotes": '"' * 50_000,
    "escaped quotes": '"\\' * 25_000,
    "backslashes": "\\" * 50_000,
}
OWN = make_rules(BUILT_IN, {"long": r"\w{1,30}@\w{1,30}", "ab": r"(?:ab|a){1,8}c"})


@pytest.mark.parametrize("name", SLOW)
def test_no_text_makes_it_slow(name):
    text = SLOW[name]
    start = time.process_time()
    masked = mask(text, OWN)
    unmask_answer(masked.text, masked.replacements)
    mask_request(Request("d", "t", 1, (Message("user", text),), {}), OWN)
    assert time.process_time() - start < 1.0


# There and back

VALUES = (
    "a@b.de",
    "john.doe@example.com",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    "10.0.0.1",
    "2001:db8::1",
    "TCK-123456",
    '"a\\b\nc"',
    "7",
    "[EMAIL_1]",
    "[PHONE_2]",
    "\\[EMAIL_1]",
)
PIECES = st.sampled_from(VALUES) | st.sampled_from([" ", "\n", ", ", "K10", "İ", "😀", "\\", '"'])
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=14).map("".join)


@given(TEXTS)
def test_unmask_is_the_inverse(text):
    masked = mask(text, RULES)
    assert unmask(masked.text, masked.replacements) == text
    for placeholder, value in masked.replacements.items():
        assert placeholder not in text
        assert value in text
    assert len(set(masked.replacements.values())) == len(masked.replacements)


@given(TEXTS)
def test_no_value_is_left(text):
    masked = mask(text, RULES)
    rest = masked.text
    for placeholder in masked.replacements:
        rest = rest.replace(placeholder, "\x00")
    for address in ("a@b.de", "john.doe@example.com", "TCK-123456"):
        assert address not in rest


@given(TEXTS, st.data())
def test_quotes_of_the_masked_text_ground_like_quotes_of_the_text(text, data):
    """A model that quotes stretches of what it saw, and one that quotes the same of the text."""
    masked = mask(text, RULES)
    # Where the pieces of the two texts begin: a quote may cut no placeholder.
    ours, theirs, at, origin = [0], [0], 0, 0
    while at < len(masked.text):
        name = next((p for p in masked.replacements if masked.text.startswith(p, at)), None)
        at += 1 if name is None else len(name)
        origin += 1 if name is None else len(masked.replacements[name])
        ours.append(at)
        theirs.append(origin)
    assert origin == len(text)
    cuts = st.tuples(*[st.integers(0, len(ours) - 1)] * 2, st.booleans())
    chosen = [sorted(c[:2]) for c in data.draw(st.lists(cuts, max_size=6))]
    ascii_ = data.draw(st.booleans())

    def answer(source, edges):
        quotes = [{"text": source[edges[i] : edges[j]], "label": "A"} for i, j in chosen]
        return json.dumps({"entities": quotes}, ensure_ascii=ascii_)

    back = json.loads(unmask_answer(answer(masked.text, ours), masked.replacements))
    direct = json.loads(answer(text, theirs))
    assert back == direct
    doc = NLP(text)
    for overlapping in (False, True):
        parsed = [
            parse_quotes(v["entities"], labels=["A"], doc=doc, overlapping=overlapping)
            for v in (back, direct)
        ]
        assert parsed[0] == parsed[1]


@pytest.mark.parametrize(
    "answer",
    ["no JSON [X_1", '{"a": "[X_1', '{"a": "\\[X_1]"}', "[X_2]", "\\", '{"a": "\\\\'],
)
def test_broken_answers_stay_broken(answer):
    """What was no JSON is none afterwards: a status never gets better by unmasking."""
    back = unmask_answer(answer, {"[X_1]": 'n"\n'})
    with pytest.raises(ValueError):
        json.loads(back)


# Requests


def ask(text, *, context="", system="Find it.", schema=None):
    user = (context + "\n\n" if context else "") + text_block(text)
    messages = (Message("system", system), Message("user", user))
    return Request(text_digest(text), "t", 1, messages, schema or {})


def test_a_request_without_values_is_the_same_object():
    request = ask("nothing here")
    assert mask_request(request, RULES) == (request, {})
    assert mask_request(request, RULES)[0] is request


def test_all_messages_are_masked_and_the_text_is_still_found():
    request = ask("to a@b.de", system='Ask boss@b.de. Example: "to c@d.de"')
    masked, replacements = mask_request(request, RULES)
    assert find_text(masked.messages[1].content) == "to [EMAIL_1]"
    assert "@" not in masked.prompt
    assert set(replacements.values()) == {"a@b.de", "boss@b.de", "c@d.de"}
    assert masked.text_digest == text_digest("to a@b.de")


def test_the_placeholders_of_a_text_do_not_depend_on_the_prompt():
    """Stored answers can be understood again after the instructions have changed."""
    texts = [
        find_text(mask_request(ask("a@b.de c@d.de", system=s), RULES)[0].messages[1].content)
        for s in ("Find it.", "Ask x@y.de, then c@d.de.")
    ]
    assert texts == ["[EMAIL_1] [EMAIL_2]"] * 2


def test_mentions_of_a_value_or_of_a_part_of_one_are_masked():
    text = "Ann wrote john@x.de and 'a\"b' said Ann"
    mentions = ["Ann", "john@x.de", "john", 'a"b']
    context = "Mentions: " + json.dumps(mentions)
    rules = make_rules(["email"], {"odd": 'a"b'})
    masked, replacements = mask_request(ask(text, context=context), rules)
    sent = masked.messages[1].content
    assert sent.startswith('Mentions: ["Ann", "[EMAIL_1]", "[PART_1]", "[ODD_1]"]')
    assert "john" not in sent
    answer = json.dumps([json.loads(sent.split("\n")[0].removeprefix("Mentions: "))])
    assert json.loads(unmask_answer(answer, replacements)) == [mentions]


def test_names_of_fields_are_no_parts_of_values():
    context = 'Mentions: [{"id": 1, "text": "david@text.de"}]'
    rules = make_rules(["email"], {})
    masked, _ = mask_request(ask("to david@text.de", context=context), rules)
    assert masked.messages[1].content.startswith('Mentions: [{"id": 1, "text": "[EMAIL_1]"}]')


def test_labels_and_ids_stay():
    """The schema names them anyway; a catalog id may look like a phone number."""
    schema = {"enum": ["2125550100"]}
    request = ask("it is 2125550100", system="- 2125550100: Pro", schema=schema)
    assert mask_request(request, RULES)[0] is request


def test_a_pattern_never_reaches_the_marks_of_the_text():
    rules = make_rules([], {"line": r"\n\d{3}"})
    masked, _ = mask_request(ask("123\n456"), rules)
    assert find_text(masked.messages[1].content) == "123[LINE_1]"


@given(TEXTS, TEXTS, TEXTS)
def test_every_request_can_be_turned_back(system, mention, text):
    request = ask(text, context="Mentions: " + json.dumps([mention]), system=system)
    masked, replacements = mask_request(request, RULES)
    assert [m.role for m in masked.messages] == ["system", "user"]
    hidden = find_text(masked.messages[1].content)
    if find_text(request.messages[1].content) == text:
        assert unmask(hidden, replacements) == text
    for placeholder in replacements:
        assert placeholder not in request.prompt


# Responses


def test_a_response_is_turned_back_with_its_tokens():
    tokens = (('{"a": "', -0.1), ("[EMAIL", -0.5), ("_1", -0.25), ("]", -0.125), ('"}', -0.1))
    response = Response("m", text='{"a": "[EMAIL_1]"}', logprobs=tokens, key="k")
    back = unmask_response(response, {"[EMAIL_1]": "a@b.de"})
    assert back.text == '{"a": "a@b.de"}'
    assert back.key == "k"
    assert "".join(token for token, _ in back.logprobs) == back.text
    assert back.logprobs == (('{"a": "', -0.1), ("a@b.de", -0.875), ('"}', -0.1))


def test_a_response_without_text_stays():
    response = Response("m", error="no")
    assert unmask_response(response, {"[EMAIL_1]": "a@b.de"}) is response
    assert unmask_response(Response("m", text="[EMAIL_1]"), {}).text == "[EMAIL_1]"
