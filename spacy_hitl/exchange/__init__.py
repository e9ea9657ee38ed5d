"""Decisions in, corpora out: the helpers beside the six words."""
