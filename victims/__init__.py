"""A person and their case: no account, no name, no picture."""
