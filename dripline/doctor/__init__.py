"""`dripline doctor`: what is set up, what is missing, and how to mend it."""
