"""What we keep in Redis, and how we talk to it."""
