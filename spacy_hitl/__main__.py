"""`python -m spacy_hitl <word>`: the same commands without the rest of spaCy's."""

from .cli import hitl_cli

if __name__ == "__main__":
    hitl_cli(prog_name="python -m spacy_hitl")
