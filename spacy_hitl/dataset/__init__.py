"""The task dataset: texts and their lanes, proposals of models, decisions of people."""
