"""The world: Kafka, Redis, Prometheus, the terminal and the clock."""
