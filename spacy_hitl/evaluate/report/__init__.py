"""`spacy hitl report`: one HTML file from what evaluation and training left behind."""
