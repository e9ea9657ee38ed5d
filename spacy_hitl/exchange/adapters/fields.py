"""Fields of other tools' records: read with their type checked, or refused with their place."""

import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ...errors import Errors, InputError
from ...io import find_file

MAX_BYTES = 512 * 2**20
MAX_DEPTH = 24


class Reader:
    """Reads fields of the records of one tool.

    tool (str): Its name, for error messages.
    """

    def __init__(self, tool: str) -> None:
        self.tool = tool

    def refuse(self, where: str, problem: str, expected: str) -> InputError:
        """RETURNS (InputError): The error for a record that is none of the tool's."""
        return InputError(
            Errors.H070.format(where=where, tool=self.tool, problem=problem, expected=expected)
        )

    def check(self, value: Any, where: str) -> None:
        """Refuse a record that is nested too deep, or holds numbers that are none.

        RAISES (InputError): With the place of the record.
        """
        stack: List[Tuple[Any, int]] = [(value, 0)]
        while stack:
            one, depth = stack.pop()
            if depth > MAX_DEPTH:
                raise self.refuse(where, "it is nested too deep", f"at most {MAX_DEPTH} levels")
            if isinstance(one, dict):
                stack.extend((v, depth + 1) for v in one.values())
            elif isinstance(one, list):
                stack.extend((v, depth + 1) for v in one)
            elif isinstance(one, float) and not math.isfinite(one):
                raise self.refuse(where, f"it holds the number {one}", "finite numbers")

    def text(self, record: Dict[str, Any], name: str, where: str) -> str:
        """RETURNS (str): A field that must be a string."""
        value = record.get(name)
        if not isinstance(value, str):
            raise self.refuse(where, f"field '{name}' is {_found(value)}", f"a string in '{name}'")
        return value

    def string(self, record: Dict[str, Any], name: str, where: str) -> Optional[str]:
        """RETURNS (Optional[str]): A string, or None if it is missing, null or empty."""
        value = record.get(name)
        return None if value is None else self.text(record, name, where) or None

    def flag(self, record: Dict[str, Any], name: str, where: str) -> bool:
        """RETURNS (bool): A field that is true or false; missing is false."""
        value = record.get(name)
        if not isinstance(value, bool | None):
            raise self.refuse(where, f"field '{name}' is {_found(value)}", "true or false")
        return bool(value)

    def number(self, record: Dict[str, Any], name: str, where: str) -> Optional[float]:
        """RETURNS (Optional[float]): A number, or None if it is missing or null."""
        value = record.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise self.refuse(where, f"field '{name}' is {_found(value)}", "a number")
        try:
            return None if value is None else float(value)
        except OverflowError as e:
            raise self.refuse(where, f"field '{name}' is too large", "a number") from e

    def whole(self, record: Dict[str, Any], name: str, where: str) -> int:
        """RETURNS (int): A field that must be a whole number."""
        value = record.get(name)
        if type(value) is not int:
            expected = f"a whole number in '{name}'"
            raise self.refuse(where, f"field '{name}' is {_found(value)}", expected)
        return value

    def strings(self, record: Dict[str, Any], name: str, where: str) -> List[str]:
        """RETURNS (List[str]): A list of strings or numbers, as strings; missing is empty."""
        values = self.many(record, name, where)
        for value in values:
            if isinstance(value, bool) or not isinstance(value, str | int):
                problem = f"'{name}' holds {_found(value)}"
                raise self.refuse(where, problem, f"a list of strings in '{name}'")
        return [str(value) for value in values]

    def many(self, record: Dict[str, Any], name: str, where: str) -> List[Any]:
        """RETURNS (List[Any]): A list; missing and null are empty."""
        value = record.get(name)
        if not isinstance(value, list | None):
            expected = f"a list in '{name}'"
            raise self.refuse(where, f"field '{name}' is {_found(value)}", expected)
        return value or []

    def objects(self, record: Dict[str, Any], name: str, where: str) -> List[Dict[str, Any]]:
        """RETURNS (List[Dict[str, Any]]): A list of objects; missing and null are empty."""
        values = self.many(record, name, where)
        for value in values:
            if not isinstance(value, dict):
                problem = f"'{name}' holds {_found(value)}"
                raise self.refuse(where, problem, f"a list of objects in '{name}'")
        return values

    def mapping(self, record: Dict[str, Any], name: str, where: str) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): An object; missing and null are empty."""
        value = record.get(name)
        if not isinstance(value, dict | None):
            expected = f"an object in '{name}'"
            raise self.refuse(where, f"field '{name}' is {_found(value)}", expected)
        return value or {}

    def id(self, value: Any, where: str) -> Optional[str]:
        """RETURNS (Optional[str]): A string or whole number as string; None if missing."""
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.refuse(where, f"its id is {_found(value)}", "a string or a whole number")
        return str(value)

    def offsets(self, value: Dict[str, Any], text: str, where: str) -> Tuple[int, int]:
        """Read start and end; whether they fit the text in some unit is `check_range`'s."""
        start, end = self.whole(value, "start", where), self.whole(value, "end", where)
        return self.check_range(start, end, text, where)

    def check_range(self, start: int, end: int, text: str, where: str) -> Tuple[int, int]:
        """RETURNS (Tuple[int, int]): The same, if it is a stretch of the text in any unit.
        RAISES (InputError): If it is empty, reversed or outside.
        """
        longest = len(text) + sum(ord(c) > 0xFFFF for c in text)
        if not 0 <= start < end <= longest:
            problem = f"offsets {start} to {end} in a text of {len(text)} characters"
            raise self.refuse(where, problem, "0 <= start < end <= length of the text")
        return start, end


def check_size(path: Path) -> Path:
    """RETURNS (Path): The same, if it is a file of a size that is read at once.
    RAISES (InputError): If not.
    """
    size = find_file(path, what="import file").stat().st_size
    if size > MAX_BYTES:
        found, limit = size // 2**20, MAX_BYTES // 2**20
        raise InputError(Errors.H072.format(path=path, size=found, limit=limit))
    return path


def _found(value: Any) -> str:
    names = {dict: "an object", list: "a list", type(None): "missing"}
    return names.get(type(value), repr(value)[:80])
