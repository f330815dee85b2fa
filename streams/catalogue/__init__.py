"""What is known once of each measure, counter and word of the wire; everybody else follows."""
