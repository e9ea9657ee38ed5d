"""Decide once, everywhere: the same words in other texts."""
