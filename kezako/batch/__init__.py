"""`kezako predict`: any number of pictures, classified on this machine."""
