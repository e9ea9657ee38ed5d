"""One module per tool: pure functions from its records to ours and back, with what was lost."""
