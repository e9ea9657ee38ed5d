"""The form of a catalogue of messages."""

import re
from typing import Any


class Catalogue(type):
    """Prefix every message with its code."""

    def __getattribute__(cls, name: str) -> Any:
        value = super().__getattribute__(name)
        return f"[{name}] {value}" if re.fullmatch(r"[HW]\d{3}", name) else value


def codes(catalogue: Catalogue) -> "list[str]":
    """RETURNS (list[str]): The codes of a catalogue, those of its parts included, sorted."""
    return sorted(name for name in dir(catalogue) if re.fullmatch(r"[HW]\d{3}", name))
