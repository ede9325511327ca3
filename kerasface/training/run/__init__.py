"""What a run is and keeps: budget, faces, checkpoints, state, result."""
