"""The training corpus as spaCy examples."""
