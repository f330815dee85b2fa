"""Evaluation: what the alert rules, and the baselines beside them, caught of labelled days."""
