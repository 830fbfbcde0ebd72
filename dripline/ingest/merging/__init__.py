"""One person, once: which leads are one, what the one lead is then, and the way back."""
