"""The same predictions in less time, for pipelines that run on a CPU.

products.py   matrix products through the fastest library on the machine
rows.py       a table of feature rows that were seen before
embedding.py  the embedding of a feature row, computed once
vectors.py    word vectors as one more feature
encoding.py   the convolutions, in pieces that fit the cache, without detours
decoding.py   the transition decoder, all documents of a batch in one step

Only forwards, ops and components are replaced, never the graph of a model or what it is made of: a
pipeline saves and loads as before. Training goes through thinc's own code.
"""
