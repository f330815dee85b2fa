"""What the services tell Prometheus, probes and people about themselves and the market."""
