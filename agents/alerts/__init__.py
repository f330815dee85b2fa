"""Alert events on their topics: published, read back, followed and answered."""
