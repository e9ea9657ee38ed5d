"""spaCy components and callbacks that can run in production. A cheap zone: imported by spaCy at
every start, so modules here import only the standard library, spaCy and the leaves.
"""
