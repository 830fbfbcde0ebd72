"""Campaigns: audiences that are let into a journey, by hand or by the calendar, at a pace that harms nobody."""
