"""Scale to several machines: Ray Data for batches, Ray Serve for the API."""
