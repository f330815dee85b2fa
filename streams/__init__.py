"""Records and the flow: what arrives, what it becomes, and the pure stages between the topics."""
