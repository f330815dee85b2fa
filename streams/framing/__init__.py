"""Records are framed: grouped by source and second, aligned and published."""
