"""Feeds of option quotes: one generator a feed, and the host that runs it."""
