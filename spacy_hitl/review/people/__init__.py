"""Several people: how well they agree, and where they differ."""
