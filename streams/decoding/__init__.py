"""Bytes to columns: frames, JSON and heartbeats decoded in a safe order; what cannot be is a value with a reason."""
