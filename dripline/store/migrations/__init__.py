"""Migrations: each goes forward only; the way back is a backup."""
