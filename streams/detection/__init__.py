"""One index: history, gates, rules and the lives of its alerts."""
