"""`data/NAME`: manifest, moves, lock, corrections; nothing else writes into that folder."""
