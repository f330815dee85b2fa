"""What is known now and what was known then, read from outside."""
