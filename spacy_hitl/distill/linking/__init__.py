"""A knowledge base from catalog and links."""
