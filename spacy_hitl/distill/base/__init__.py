"""One encoder that several students share."""
