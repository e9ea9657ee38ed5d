"""What is annotated: one folder per kind of task, each with the same few files.

prompt.jinja    the instructions for a model
parse.py        JSON schema of the answer; the answer onto the text (pure)
annotations.py  to and from the Doc and the compact form of the import format
compare.py      hits and errors of one annotation against another (pure)
task.py         the class that ties them together, and the registered function
"""
