"""Human-in-the-loop distillation for spaCy.

annotate -> review -> distill -> evaluate -> promote -> apply: an LLM proposes, people decide,
a small component learns, honest numbers, swap it in, run it over everything.
"""

import logging

from .about import __version__
from .pipeline.accelerate import accelerate

logging.getLogger("spacy_hitl").addHandler(logging.NullHandler())

__all__ = ["__version__", "accelerate"]
