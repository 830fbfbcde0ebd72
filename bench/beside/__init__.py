"""What Dripline is compared with: the same journey written by hand, and the bare shell of our own."""
