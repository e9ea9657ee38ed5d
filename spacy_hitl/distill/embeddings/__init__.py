"""Word vectors from the project's own texts."""
