"""What a run shows while it goes: the display, TensorBoard's figures, pictures and projector."""
