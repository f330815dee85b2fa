"""The worker: its process, its app, its partitions and the stages on them."""
