"""The base of the records: to JSON objects and back, every field checked."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Dict, Type, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import Errors, InputError

VERSION = 1

_R = TypeVar("_R", bound="Record")


_adapters: Dict[Type[Any], TypeAdapter[Any]] = {}


def _adapter(cls: Type[Any]) -> TypeAdapter[Any]:
    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def _plain(value: Any) -> Any:
    """Dataclasses to dicts, tuples to lists; fields at their default are left out."""
    if is_dataclass(value):
        pairs = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: _plain(v) for f, v in pairs if v != f.default}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


@dataclass(frozen=True)
class Record:
    """Base of the records: to and from JSON objects, validated."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    def to_dict(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): A JSON object with the format version under "v"."""
        return {"v": VERSION, **_plain(self)}

    @classmethod
    def from_dict(cls: Type[_R], value: Any, *, where: str = "record") -> _R:
        """Build the record from `to_dict`'s output.

        value (Any): What was read; checked field by field.
        where (str): Where it was read, for the error message.
        RETURNS (Record): An equal record.
        RAISES (InputError): If a field is missing, unknown or of the wrong type.
        """
        if not isinstance(value, dict):
            problem = f"expected a {cls.__name__} object, found {type(value).__name__}"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        version = value.get("v", VERSION)
        if version != VERSION:
            problem = f"{cls.__name__} has version {version!r}, this release reads {VERSION}"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        try:
            record = _adapter(cls).validate_python({k: v for k, v in value.items() if k != "v"})
        except ValidationError as e:
            first = e.errors()[0]
            place = ".".join(str(p) for p in first["loc"])
            problem = f"{cls.__name__} field '{place}': {first['msg']}"
            raise InputError(Errors.H004.format(where=where, problem=problem)) from e
        assert isinstance(record, cls)
        return record
