"""Text classifiers that learn from the phrases that carry their labels."""
