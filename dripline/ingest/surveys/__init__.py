"""Answers to surveys coming in: by links and their page, by text messages, and as events of other systems."""
