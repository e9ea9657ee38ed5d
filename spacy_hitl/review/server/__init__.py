"""The session over HTTP: requests, safety, start and end."""
