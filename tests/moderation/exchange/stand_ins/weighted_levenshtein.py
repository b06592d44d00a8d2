"""What ``threatexchange`` imports of ``weighted-levenshtein``, which has no wheels: no list has texts to compare."""


def lev(first: str, second: str) -> float:
    raise AssertionError("A list has no texts, so nothing may compare any.")
