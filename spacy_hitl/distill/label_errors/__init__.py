"""Find label errors: students that did not see a text judge what is given for it."""
