"""Partners' lists of fingerprints, read page by page through the exchange clients of the ``threatexchange`` package."""

from moderation.platforms.feeds.base import FeedClient, Page, Place, Record, open_client

__all__ = ["FeedClient", "Page", "Place", "Record", "open_client"]
