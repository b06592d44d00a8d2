"""A second look, by a second person."""
