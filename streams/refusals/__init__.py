"""What was left out or refused, with reasons and examples."""
