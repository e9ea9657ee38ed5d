"""The tables. Names are fixed here; whatever comes from texts and pipelines is only ever a value.

Keys are digests of what they stand for, never numbers that a database counts up: the same results
make the same tables, in whatever order they were written.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from ...io import json_digest

SCHEMA = 1  # a new column or table: one more, and a migration
KEY_CHARS = 32

metadata = MetaData()


def row_key(source: str, id: str, pipeline_digest: str) -> str:
    """RETURNS (str): The key of a row's results: the same row and pipeline, the same key."""
    return json_digest([source, id, pipeline_digest])[:KEY_CHARS]


def _row() -> "Column[str]":
    return Column(
        "row_key",
        Text,
        ForeignKey("rows.row_key", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    )


def _run() -> "Column[str]":
    return Column(
        "run_id",
        Text,
        ForeignKey("runs.run_id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    )


def _number(name: str) -> "Column[int]":
    return Column(name, Integer, primary_key=True, autoincrement=False, nullable=False)


schema_version = Table(
    "hitl_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False)
)

# What results are of. lineage: nlp.meta["hitl"] as JSON: digests, no text. superseded_by: the run
# over the same source with the same pipeline that took its place.
runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("pipeline", Text, nullable=False),
    Column("pipeline_name", Text),
    Column("pipeline_version", Text),
    Column("pipeline_digest", Text, nullable=False),
    Column("lineage", Text),
    Column("source", Text, nullable=False),
    Column("source_digest", Text, nullable=False),
    Column("source_bytes", BigInteger, nullable=False),
    Column("options", Text, nullable=False),
    Column("source_rows", BigInteger),
    Column("superseded_by", Text),
    Column("started", Double, nullable=False),
    Column("finished", Double),
)
Index("runs_of", runs.c.source, runs.c.pipeline_digest)

# Finished shards, written with their rows or not at all.
shards = Table("shards", metadata, _run(), _number("shard"))

rows = Table(
    "rows",
    metadata,
    Column("row_key", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("pipeline_digest", Text, nullable=False),
    Column("text_digest", Text, nullable=False),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    Column("shard", Integer, nullable=False),
)
Index("rows_of", rows.c.source, rows.c.id)
Index("rows_of_run", rows.c.run_id, rows.c.shard)

# doc.ents, and with a name in span_group those of doc.spans. Offsets in characters, end exclusive.
mentions = Table(
    "mentions",
    metadata,
    _row(),
    _number("mention"),
    Column("start_char", Integer, nullable=False),
    Column("end_char", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("span_group", Text),
    Column("score", Double),
)
Index("mentions_label", mentions.c.label)

links = Table("links", metadata, _row(), _number("mention"), Column("kb_id", Text, nullable=False))
Index("links_kb_id", links.c.kb_id)

categories = Table(
    "categories",
    metadata,
    _row(),
    Column("label", Text, primary_key=True),
    Column("score", Double, nullable=False),
)
Index("categories_label", categories.c.label, categories.c.score)

relations = Table(
    "relations",
    metadata,
    _row(),
    _number("relation"),
    Column("head_start", Integer, nullable=False),
    Column("head_end", Integer, nullable=False),
    Column("tail_start", Integer, nullable=False),
    Column("tail_end", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("score", Double),
)
Index("relations_label", relations.c.label)

# Components without a usable answer: a refusal is not "nothing found".
unanswered = Table(
    "unanswered",
    metadata,
    _row(),
    Column("component", Text, primary_key=True),
    Column("status", Text, nullable=False),
)

# Records of [hitl.business]: a JSON object each, its fields are the user's.
business = Table(
    "business", metadata, _row(), _number("record"), Column("content", Text, nullable=False)
)

# Rows without results. place: in the input.
failures = Table(
    "failures",
    metadata,
    _run(),
    _number("shard"),
    _number("failure"),
    Column("place", Text, nullable=False),
    Column("id", Text),
    Column("reason", Text, nullable=False),
)

# What else has to be known of a shard until the run is done.
notes = Table(
    "notes",
    metadata,
    _run(),
    _number("shard"),
    Column("kind", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

OF_ROWS = (mentions, links, categories, relations, unanswered, business)
