"""English: 22 November 2026."""
