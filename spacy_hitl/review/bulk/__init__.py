"""Accept unseen what is almost certainly right."""
