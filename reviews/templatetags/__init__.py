"""What the staff face's templates may ask for."""
