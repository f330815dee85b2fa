"""What others see of an index: the snapshot, the explanation, the verdicts of a close."""
