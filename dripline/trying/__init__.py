"""Walking a journey oneself: a made-up lead in a throw-away installation, and its story as it happens."""
