"""From a topic of single quotes to frames."""
