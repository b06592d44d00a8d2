"""All benchmarks, one after the other: ``python -m benchmarks``."""

from benchmarks import lookup, matching, photo, robustness

if __name__ == "__main__":
    photo.main()
    matching.main()
    lookup.main()
    robustness.main()
