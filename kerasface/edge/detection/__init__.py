"""Faces in a photo: boxes, landmarks, and which of them is meant."""
