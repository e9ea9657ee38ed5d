"""Soft labels: a student learns the probabilities of a bigger trained pipeline, not its answers.

teacher.py  loads a pipeline and reads it text by text
texts.py    streams unlabelled texts
student.py  the component that learns, with the encoder that it may share
ner.py, textcat.py, spancat.py   one update of each kind
targets.py  the arithmetic
run.py      the loop
"""
