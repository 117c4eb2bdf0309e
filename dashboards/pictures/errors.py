"""What can go wrong with a picture; each message names the thing and the remedy."""

from __future__ import annotations


class PictureError(Exception):
    """A picture cannot be taken as asked."""
