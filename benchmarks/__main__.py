"""All benchmarks, one after the other: ``python -m benchmarks``."""

from benchmarks import lookup, photo, robustness

if __name__ == "__main__":
    photo.main()
    lookup.main()
    robustness.main()
