"""The report of a session: every number computed from readings, closes and alerts, with reasons."""
