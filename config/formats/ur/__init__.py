"""Urdu, which Django does not know how to date: the day, the month by its name, the year."""
