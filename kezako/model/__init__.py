"""models/NAME: what a bundle holds, and answers from it; no torch."""
