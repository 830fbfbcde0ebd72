"""What a marketer writes: load, check and compile journeys. Knows no clock, database or network."""
