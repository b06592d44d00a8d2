"""Commands of the desk's operator."""
