"""A review session without HTTP: what is shown, what is answered, what is stored."""
