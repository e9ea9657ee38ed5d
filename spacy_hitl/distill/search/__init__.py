"""`spacy hitl distill --search`: which mix of decisions and proposals teaches the student best."""
