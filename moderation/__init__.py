"""The ground floor: content, fingerprints, flags, enforcement, audit, staff."""
