"""`kezako predict`: classify any number of pictures on this machine."""
