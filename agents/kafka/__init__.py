"""Clients of Kafka: credentials, publishers, and whether it answers."""
