"""Files as sources: adapters that read market data files in event-time order, and the feed that makes input records of them."""
