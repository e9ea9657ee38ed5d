"""Entities against entities: exact offsets and label."""

from ..spans import compare_spans as compare_entities

__all__ = ["compare_entities"]
