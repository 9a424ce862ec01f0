"""What a bundle, models/NAME, holds, and inference from it; no torch."""
