"""Files as sources.

Adapters read market data files in event-time order. The feed makes input records of them.
"""
