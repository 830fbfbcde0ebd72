"""What comes in: leads, events and enrolments, each in one transaction with everything that it sets going."""
