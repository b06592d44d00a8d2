"""All benchmarks, one after the other: ``python -m benchmarks``."""

from benchmarks import importing, lookup, matching, photo, robustness

if __name__ == "__main__":
    photo.main()
    matching.main()
    lookup.main()
    importing.main()
    robustness.main()
