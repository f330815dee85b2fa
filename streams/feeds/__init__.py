"""What vendors send becomes columns: bytes in, columns or a refusal out."""
