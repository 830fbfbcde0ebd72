"""Who is in which segment: looked up in batches, kept current, told to journeys."""
