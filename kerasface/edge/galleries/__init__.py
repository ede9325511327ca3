"""Galleries: names and face templates, in memory, on disk, sealed, renewable."""
