"""Routes of the appeals face and of the desk."""

public: list = []
desk: list = []
