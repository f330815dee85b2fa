"""Bytes to columns: frames, JSON and heartbeats decoded in a safe order.

What cannot be decoded is a value with a reason.
"""
