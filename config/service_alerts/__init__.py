"""Rules of Prometheus on the service itself: one table, rendered for the names of a site."""
