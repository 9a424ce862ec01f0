"""`data/NAME`: manifest, moves, lock, corrections. Nothing else writes to that folder."""
