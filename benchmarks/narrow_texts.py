"""Invented trade headlines for benchmarks/narrow.py: a small grammar, seeded.

Templates, names and numbers are made up. `{party}` and the like are filled and labelled, `{date}`
and the like are filled and not labelled, `(a|b)` is one of the two, `[x]` is there or not.
"""

import random
import re
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

LABELS = ("COMMODITY", "COUNTERPARTY", "PORT", "PRICE", "VESSEL", "VOLUME")
SLOTS = {label.lower(): label for label in LABELS}
SLOTS["party"] = SLOTS.pop("counterparty")
Ents = List[Tuple[int, int, str]]


def words(text: str) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): What stands between the bars."""
    return tuple(text.split("|"))


# One desk's formats: bids and offers, deals, fixtures, tenders, stocks, outages.
TEMPLATES = (
    "{party} bids {volume} {commodity} at {price}, {laycan}[, CIF {port}]",
    "{party} offers {volume} {commodity} {price} FOB {port}, {laycan}",
    "DEAL: {party} sells {volume} {commodity} to {party} @ {price}[, loading {port}]",
    "HEARD: {volume} {commodity} traded at {price}, buyer {party}[, seller {party}]",
    "{commodity}: {party} withdraws offer of {volume} at {price}",
    "{commodity} {port} {laycan}: bid {price}, offer {price}",
    "OFFER {commodity} | {volume} | {price} | {port} | {party}",
    "BID {party} / {commodity} / {volume} / {laycan} / {price}",
    "{party} lowers (bid|offer) for {commodity} by {step} to {price}[ ({volume})]",
    "{party} raises (bid|offer), {commodity} {laycan}, now {price} (up {step})",
    "{time} {commodity} {volume} {port} {price} {party}",
    "{party} repeats {price} for {volume} {commodity} delivered {port}",
    "Buyer {party} pays {price} for {volume} of {commodity} ex {port}",
    "{party} takes {volume} {commodity} from {party}, price not disclosed[, {laycan}]",
    "FIXED: {vessel}, {volume} {commodity}, {port} to {port}, {laycan}, {party}",
    "{vessel} on subs to {party}: {port}/{port}, {volume} {commodity}, ws {ws}",
    "{party} fixes {vessel} ({built}) for {commodity} ex {port}[, ws {ws}]",
    "FAILED: {vessel} {port}-{port} {volume} {commodity}[, charterer {party}]",
    "{vessel} open {port} {laycan}, last cargo {commodity}",
    "{vessel} loads {volume} {commodity} at {port} for {party}",
    "{commodity} cargo of {vessel} diverted from {port} to {port}",
    "{vessel} ETA {port} {date}, discharging {volume} {commodity}",
    "{party} relets {vessel} at {price}, delivery {port}",
    "Demurrage: {vessel} waits {days} days off {port} with {volume} of {commodity}",
    "TENDER {party} seeks {volume} {commodity}, {laycan}, closes {date}",
    "{party} awards tender for {volume} {commodity} to {party} at {price}",
    "Tender result: {party} buys {commodity}, {volume}, C&F {port} {price}[, {few} offers]",
    "{party} cancels {date} tender ({commodity}, {volume})",
    "{party} tender: {few} offers, best {price} by {party} for {commodity}",
    "{party} issues sell tender no. {code}: {volume} {commodity} FOB {port}",
    "STOCKS {port} {commodity} {volume} (week {week}: {pct})",
    "{commodity} stocks at {port} fall {pct} to {volume}",
    "Inventory {port}: {commodity} up {step} kt at {volume}[, says {party}]",
    "OUTAGE {party} {port} plant, {volume} of {commodity} a month, until {date}",
    "{party} declares force majeure on {commodity} from {port}",
    "{party} restarts {port} unit, {commodity} output {volume}",
    "{port} closed by (fog|swell|strike), {few} {commodity} cargoes delayed[ incl. {vessel}]",
    "ASSESSMENT {date} {commodity} FOB {port} {price} ({change})",
    "{commodity} CFR {port} assessed {price}, {change} on day",
    "Spread: {commodity} {port} vs {commodity} {port} {change}[, was {change}]",
    "{commodity} swap {month} {price} / {price}",
    "{person}, broker: {commodity} {price} workable, {volume} max",
    "RFQ {code} {volume} {commodity} DAP {port} by {date} // {party}",
    "CORRECTION: {party} offer is {price}, not {price} ({commodity} {port})",
    "{party}-{party} {commodity} swap deal: {port} for {port}, {volume}",
    "Term: {party} to lift {volume} {commodity} a year from {party} at {port}",
    "{commodity} {month}: sell indication {price} ({party}), buy {price} ({party})",
    "No bids {commodity} {port}. Last {price} on {date}",
)

# Another genre: the same facts, as a market report tells them.
PROSE = (
    "Traders in {port} said on {weekday} that demand had weakened, with {party} finding no "
    "taker for the {volume} of {commodity} it had shown since {date}.",
    "After a quiet start to the week, prices of {commodity} climbed to {price} from {price}, "
    "helped by news that the {vessel} would not reach {port} before {month}.",
    "Nobody had expected {party} to come back so soon: the company asked for another "
    "{volume}, and was ready to pay {price} for it, two people who know the matter said.",
    "The {vessel}, which left {port} in {month} with {commodity} on board, has been at anchor "
    "for {days} days while its owner and {party} argue about who pays.",
    '"We are not in a hurry," said {person} of {party}. At {price}, he added, {commodity} is '
    "still too dear for most mills around {port}.",
    "A strike of tug crews, now in its {few}th day, has left ships queuing outside {port}; "
    "among them are the {vessel} and the {vessel}, both due to load for {party}.",
    "Supply remains ample. Warehouses near {port} hold {volume} of {commodity}, {few}% more "
    "than a year ago, and there is talk that {party} wants to rent further space.",
    "What happens next depends on {party}. Should it keep its plant shut, about {volume} of "
    "{commodity} would be missing from the market by {month}, analysts reckon.",
    "Buyers who had counted on cheap {commodity} from {port} were disappointed when {party} "
    "let it be known that it would rather store the stuff than sell below {price}.",
    "It was the first time since {month} that {commodity} changed hands at less than {price}, "
    "and the seller, {party}, was said to be relieved to have got even that.",
    "Rain kept the harbour of {port} closed until {weekday}, so that the {volume} of "
    "{commodity} for {party} went by rail instead.",
    "In a note to clients {person} calls the rally overdone: with {commodity} at {price} and "
    "the {vessel} about to unload in {port}, there is nothing scarce about it.",
)

COMMODITIES = words(
    "Brent|Dated Brent|gasoil|10ppm gasoil|jet fuel|naphtha|fuel oil 0.5%|HSFO 380|ethanol T2|LNG|"
    "propane|milling wheat|feed barley|yellow corn|soybeans|soybean meal|palm olein|sugar no. 11|"
    "raw sugar|thermal coal 6,000 kcal|coking coal|iron ore 62% Fe|rebar|HRC|copper cathodes|"
    "alumina|zinc|urea granular|DAP|potash"
)
NEW_COMMODITIES = words(
    "WTI Midland|butane|base oil SN 150|methanol|rapeseed oil|white rice 5%|cocoa beans|"
    "pig iron|tin ingots|ammonium sulphate"
)
# Parts of names: no name of one half shares a part with one of the other.
FIRST = (
    words("Al|Bren|Cor|Dun|Esk|Fal|Gor|Hal|Ist|Kar|Lem|Mar|Nor|Oss|Pel|Quin"),
    words("Ab|Bor|Cas|Dra|Elm|Fjor|Gil|Hov|Ing|Jas|Lun|Mont|Nev|Ork|Pran|Sal"),
)
SECOND = (
    words("vik|mouth|dale|ton|eira|anda|burg|haven|ino|aska|ford|enza|gate|ur|ossa|wick"),
    words("stad|bury|mere|ley|onia|uba|heim|fleet|ado|itsa|combe|ara|ness|ok|illo|minster"),
)
PEOPLE = ("J. Aldous", "M. Okoye", "Lena Faro", "P. Szabo", "R. Iyer", "Tom Beck", "A. Lindqvist")
MONTHS = words("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True)
class Headline:
    """A text, its entities, and which template it was made from."""

    text: str
    ents: Ents
    template: str

    def lower(self) -> "Headline":
        """RETURNS (Headline): The same in small letters."""
        return Headline(self.text.lower(), self.ents, self.template)


class Grammar:
    """Fills templates with names of one half (0 or 1), which share no part with the other's."""

    def __init__(self, half: int, *, seed: int, commodities: Sequence[str] = COMMODITIES) -> None:
        self.random = random.Random(f"{seed} {half} {len(commodities)}")
        self.commodities = commodities
        self.stems = [a + b for a in FIRST[half] for b in SECOND[half]]

    def headlines(self, templates: Sequence[str], count: int) -> List[Headline]:
        """RETURNS (List[Headline]): So many different ones, templates in turn."""
        found: Dict[str, Headline] = {}
        turn = 0
        while len(found) < count:
            headline = self.fill(templates[turn % len(templates)])
            found.setdefault(headline.text, headline)
            turn += 1
        return list(found.values())

    def fill(self, template: str) -> Headline:
        """RETURNS (Headline): A text of this template."""
        shape = re.sub(r"\[(.*?)\]", lambda m: m[1] if self.chance(0.5) else "", template)
        shape = re.sub(r"\(([^()]*\|[^()]*)\)", lambda m: self.pick(m[1].split("|")), shape)
        text, ents = "", []
        for piece in re.split(r"(\{\w+\})", shape):
            slot = piece.strip("{}")
            value = getattr(self, slot)() if piece.startswith("{") else piece
            if piece.startswith("{") and slot in SLOTS:
                ents.append((len(text), len(text) + len(value), SLOTS[slot]))
            text += value
        return Headline(text, ents, template)

    def pick(self, values: Sequence[str]) -> str:
        return self.random.choice(values)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def number(self, low: float, high: float, digits: int = 0) -> str:
        return f"{self.random.uniform(low, high):,.{digits}f}"

    # What is labelled. Ports, vessels and parties are made of the same stems.

    def commodity(self) -> str:
        return self.pick(self.commodities)

    def stem(self) -> str:
        return self.pick(self.stems)

    def party(self) -> str:
        ends = ("", "", " Trading", " Energy", " Commodities", " Resources", " & Sons", " Group")
        return self.stem() + self.pick(ends)

    def port(self) -> str:
        stem = self.stem()
        return self.pick((stem, stem, stem, f"Port {stem}", f"{stem} Roads", f"Santa {stem}"))

    def vessel(self) -> str:
        stem = self.stem()
        return self.pick((stem, f"MV {stem}", f"MT {stem}", f"{stem} Star", f"Lady {stem}"))

    def price(self) -> str:
        low, high = self.number(40, 130, 2), self.number(180, 2400)
        return self.pick(
            (
                f"${low}/bbl",
                f"${high}/mt",
                f"USD {high}/mt",
                f"USD {high} pmt",
                f"{self.number(20, 90, 2)} EUR/MWh",
                f"${self.number(150, 900)}",
                f"{self.number(300, 900)} c/bu",
            )
        )

    def volume(self) -> str:
        return self.pick(
            (
                f"{self.number(1, 80)},000 mt",
                f"{self.number(5, 150)} kt",
                f"{self.number(1, 9)}0,000 tonnes",
                f"{self.number(100, 950)} kb",
                f"{self.number(1, 2, 1)} mb",
                f"{self.number(2, 9)} cargoes",
            )
        )

    # What is not.

    def date(self) -> str:
        return f"{self.random.randint(1, 28)} {self.pick(MONTHS)}"

    def laycan(self) -> str:
        day = self.random.randint(1, 24)
        return f"{day}-{day + self.random.randint(1, 4)} {self.pick(MONTHS)}"

    def month(self) -> str:
        return self.pick(MONTHS)

    def weekday(self) -> str:
        return self.pick(WEEKDAYS)

    def time(self) -> str:
        return f"{self.random.randint(7, 18):02}:{self.random.randint(0, 59):02}"

    def change(self) -> str:
        return f"{self.pick(('+', '-', ''))}{self.number(0, 20, 2)}"

    def step(self) -> str:
        return self.number(1, 20, 2)

    def pct(self) -> str:
        return f"{self.pick(('+', '-', ''))}{self.number(0, 12, 1)}%"

    def ws(self) -> str:
        return self.number(60, 310)

    def built(self) -> str:
        return f"{self.number(20, 160)},000 dwt, {self.random.randint(1998, 2024)}"

    def days(self) -> str:
        return self.number(2, 19)

    def few(self) -> str:
        return self.number(4, 9)

    def week(self) -> str:
        return self.number(1, 52)

    def code(self) -> str:
        return f"{self.pick('ABCDEFG')}{self.random.randint(100, 9999)}"

    def person(self) -> str:
        return self.pick(PEOPLE)
