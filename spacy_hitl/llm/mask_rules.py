"""What masking looks for: e-mail addresses, phone and card numbers, IP addresses, own patterns.

Every expression is bounded, so that no text can make it slow. They find rather too much than too
little: a number that may be a phone number is taken for one.
"""

import ipaddress
import re
from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Tuple

from ..errors import Errors, InputError

Span = Tuple[int, int]
MAX_WAYS = 1000  # in which a pattern of a user may match at one place

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_EMAIL = re.compile(r"\w[\w.%+&'-]{0,254}+@([\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}+)")
_GAP = "[ \u00a0.\u2010-\u2015-]{1,2}"
_CARD = re.compile(
    rf"(?<!\d)(?:\d{{13,19}}|(\d{{4}}(?:{_GAP}\d{{4}}){{3}})(?:{_GAP}\d{{1,3}})?"
    rf"|\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}})(?!\d)"
)
_IPV4 = re.compile(r"(?<![0-9])(?<![0-9]\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\.?[0-9])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]{3,45}+")
_DATE = (
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2})"
    r"|(?:19|20)\d\d ?[-/\u2013] ?(?:19|20)\d\d)(?![-./]?\d)"
)
# All digits with little between them: two numbers side by side are masked as one.
_DIGITS = re.compile(
    rf"(?<![0-9A-Za-z_])(?<!\d[-./,:])(?!{_DATE})"
    r"[+(]{0,2}\d(?:[ \u00a0.\u2010-\u2015\-/()]{0,3}\d){6,60}+"
)
_PHONE = re.compile(
    r"\+|\A\(|(?<!\d)0{1,2}[1-9]|(?<!\d)\d{10}"
    r"|\d{3}\)?[-. \u2010-\u2015]\d{3}[-. \u2010-\u2015]\d{4}(?!\d)"
    r"|(?<!\d)\d{3}-\d{4}(?!\d)|(?<!\d)\d{2,3}(?:[ .-]\d\d){3}(?!\d)"
)
_DECIMAL = re.compile(r"(?:0|[1-9]\d{0,60})\.\d{1,60}")


@dataclass(frozen=True)
class Rule:
    """One kind of value to mask. `find` yields start and end offset of each value in a text."""

    name: str
    find: Callable[[str], Iterable[Span]]


def find_emails(text: str) -> Iterator[Span]:
    """YIELDS (Span): Addresses with at least one dot in their domain."""
    for match in _EMAIL.finditer(text):
        labels = match[1].split(".")
        while len(labels) > 1 and (len(labels[-1]) < 2 or labels[-1].isdecimal()):
            labels.pop()  # the next sentence, or 3@1.50
        if len(labels) > 1:
            yield match.start(), match.start(1) + len(".".join(labels))


def find_cards(text: str) -> Iterator[Span]:
    """YIELDS (Span): Numbers of 13 to 19 digits, in one or in the usual groups, that pass Luhn."""
    match = _CARD.search(text)
    while match is not None:
        start, at = match.start(), match.start() + 1
        for end in (match.end(), match.end(1)):  # the last group may be another number
            if end > 0 and luhn(text[start:end]):
                yield start, end
                at = end
                break
        match = _CARD.search(text, at)


def luhn(number: str) -> bool:
    """RETURNS (bool): Whether the digits of a number end with their right check digit.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in number if c.isdecimal()]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def find_ips(text: str) -> Iterator[Span]:
    """YIELDS (Span): IPv4 and IPv6 addresses."""
    for match in _IPV4.finditer(text):
        if all(int(part) < 256 for part in match[0].split(".")):
            yield match.span()
    for match in _IPV6.finditer(text):
        for cut in range(3):  # a stop or a colon that ends the sentence
            value = match[0][: len(match[0]) - cut]
            if match[0][len(value) :].strip(".:") == "" and _is_ipv6(value):
                yield match.start(), match.start() + len(value)
                break


def _is_ipv6(value: str) -> bool:
    if value.count(":") < 2 or not value.strip(":."):
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True


def find_phones(text: str) -> Iterator[Span]:
    """YIELDS (Span): Runs of digits that look like a phone number, of any country."""
    for match in _DIGITS.finditer(text):
        if _PHONE.search(match[0]) and not _DECIMAL.fullmatch(match[0]):
            yield match.span()


# The order decides which name a value gets that two rules find.
BUILT_IN: Dict[str, Rule] = {
    "email": Rule("EMAIL", find_emails),
    "card": Rule("CARD", find_cards),
    "ip": Rule("IP", find_ips),
    "phone": Rule("PHONE", find_phones),
}


def make_rules(mask: Iterable[str], patterns: Mapping[str, str]) -> Tuple[Rule, ...]:
    """Make the rules of a project.

    mask (Iterable[str]): Names of built-in rules: email, phone, card, ip.
    patterns (Mapping[str, str]): The project's own expressions by name; they go first.
    RETURNS (Tuple[Rule, ...]): The rules.
    RAISES (InputError): If a name or a pattern can't be used.
    """
    wanted = set(mask)
    for name in sorted(wanted - set(BUILT_IN)):
        known = f"is not one of {', '.join(BUILT_IN)}, and has no pattern of its own"
        raise InputError(Errors.H120.format(name=name, problem=known))
    own = [make_rule(name, pattern) for name, pattern in patterns.items()]
    return (*own, *(rule for name, rule in BUILT_IN.items() if name in wanted))


def make_rule(name: str, pattern: str) -> Rule:
    """Make a rule of a regular expression, if no text can make it slow.

    name (str): Becomes the placeholder: "ticket" gives [TICKET_1].
    pattern (str): A Python regular expression in which every repeat has an upper bound.
    RETURNS (Rule): The rule.
    RAISES (InputError): If it is no expression, may be slow, or matches nothing at all.
    """

    def refuse(problem: str) -> InputError:
        return InputError(Errors.H120.format(name=name, problem=problem))

    if not _NAME.fullmatch(name):
        raise refuse("has a name that is not made of letters, digits and _, a letter first")
    if len(pattern) > 1 and pattern[0] == pattern[-1] == '"':
        raise refuse('is not a JSON string: write every backslash twice, as in "A-\\\\d"')
    try:
        compiled = re.compile(pattern)
        ways = _ways(parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as e:
        raise refuse(f"is not a regular expression: {e}") from e
    except _Unbounded as e:
        raise refuse(
            f"repeats something without an upper bound ({e}), which can be slow: write {{1,60}} "
            "in place of + and {0,60} in place of *"
        ) from e
    if compiled.match(""):
        raise refuse("matches the empty text")
    if ways > MAX_WAYS:
        raise refuse(
            f"can match in more than {MAX_WAYS} ways at one place, which can be slow: lower the "
            "bounds of its repeats, or write {1,60}+ where it need not give back what it took"
        )
    return Rule(name.upper(), lambda text: (m.span() for m in compiled.finditer(text) if m[0]))


class _Unbounded(Exception):
    """A repeat of a pattern that has no upper bound."""


def _ways(tree: Any) -> int:
    """In how many ways a parsed expression may match at one place, at most (capped)."""
    ways = 1
    for code, value in tree:
        ways = min(ways * _ways_of(code, value), MAX_WAYS + 1)
    return ways


def _ways_of(code: Any, value: Any) -> int:
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        low, high, body = value
        if high > MAX_WAYS:
            unbounded = high == codes.MAXREPEAT
            raise _Unbounded("*, + or {n,}" if unbounded else f"{high} is above {MAX_WAYS}")
        inner = _ways(body)
        if code == codes.POSSESSIVE_REPEAT:
            return inner
        total = 0
        for count in range(low, high + 1):
            total += inner ** min(count, 20)
            if total > MAX_WAYS:
                return MAX_WAYS + 1
        return max(total, 1)
    if code == codes.BRANCH:
        return sum(_ways(branch) for branch in value[1])
    if code == codes.SUBPATTERN:
        return _ways(value[-1])
    if code == codes.ATOMIC_GROUP:
        return _ways(value)
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return _ways(value[1])
    if code == codes.GROUPREF_EXISTS:
        return _ways(value[1]) + (_ways(value[2]) if value[2] else 1)
    return 1
