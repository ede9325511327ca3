"""What can happen to an aligned face in training: pictures (H, W, 3) float32 in 0…255 and uniform draws in [0, 1)."""
