"""Spans against spans: exact offsets and label."""

from ..spans import compare_spans as compare_span_categories

__all__ = ["compare_span_categories"]
