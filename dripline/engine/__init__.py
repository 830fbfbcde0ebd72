"""What a run does next: pure decisions over a plan. Time is an argument; nothing here does I/O."""
