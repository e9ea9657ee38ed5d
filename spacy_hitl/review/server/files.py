"""The page's own files, out of the package: nothing else can be asked for."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Dict, Optional

TYPES: Dict[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "md": "text/plain; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}


@dataclass(frozen=True)
class StaticFile:
    """A file of the page. etag: changes with its content."""

    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """An HTTP entity tag."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


def read_static(path: str) -> Optional[StaticFile]:
    """Read a file of the page.

    path (str): Relative, with slashes: "app.js", "vendor/preact.js".
    RETURNS (Optional[StaticFile]): None if the page has no such file.
    """
    place = files("spacy_hitl.review") / "static"
    for part in path.split("/"):
        # Names, not paths: no "..", no drive, no separator of another system.
        if not part or part.startswith(".") or not part.isascii() or set(part) & set("\\:\0"):
            return None
        place = place / part
    media_type = TYPES.get(path.rpartition(".")[2])
    if media_type is None or not place.is_file():
        return None
    return StaticFile(place.read_bytes(), media_type)
