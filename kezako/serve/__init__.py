"""The page for strangers: Voilà, configured."""

# A websocket message over tornado's 10 MiB closes the socket, and the upload is lost without a
# word. A photo travels as one message, and a kernel holds it twice for a moment.
MAX_MESSAGE = 64 * 1024 * 1024  # bytes
