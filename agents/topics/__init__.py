"""Creating and checking Kafka's topics."""
