__title__ = "spacy-hitl"
__version__ = "0.1.0"
