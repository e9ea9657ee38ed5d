"""`hitl_relations`: a trained component that relates the mentions in doc.ents. spaCy has none.

instances   which pairs of mentions are looked at, what is known of them beside the words
model       vectors of head, tail and what stands between them, to one probability per label
examples    mentions, targets and scores of training examples
component   the pipe: learns from and writes to doc._.rel
factory     its default config
"""
