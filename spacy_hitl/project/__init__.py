"""A new project folder for a user's own tasks: a helper beside the six words."""
