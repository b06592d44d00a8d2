"""Pages of the appeals face, and of the desk."""
