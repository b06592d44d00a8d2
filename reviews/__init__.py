"""The reviewer's desk: claims and decisions."""
