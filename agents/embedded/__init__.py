"""Kafka and Redis out of Python wheels, and the demo that runs on them."""
