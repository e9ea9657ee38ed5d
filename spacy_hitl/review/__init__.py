"""People decide: the queue, the session, the server and its page."""
