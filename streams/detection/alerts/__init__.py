"""The alerts of one index: their lives, their events, and what people say of them."""
