"""Open and classify untrusted pictures in a subprocess."""
