"""Named entities from little data: members that learn apart and decide together."""
