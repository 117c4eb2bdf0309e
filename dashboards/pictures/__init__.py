"""Pictures of boards: the web board's own pages, drawn by a Chromium that nobody sees."""
