"""Journeys in virtual time: the real engine, policy and rendering in a made-up world, in memory."""
