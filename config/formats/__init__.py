"""How days are written, where Django's own way is not ours: the month by its name, the day first."""
