"""Faces over time: frames in, tracks, names drawn."""
