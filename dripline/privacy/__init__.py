"""What is personal, and how it goes: erasing a person, handing out what is kept, retention."""
