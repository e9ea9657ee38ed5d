"""Where each task of a project stands, and the next command to type."""
