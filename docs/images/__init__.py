"""Pictures of the faces."""
