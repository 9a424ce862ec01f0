"""The public page: a configured Voilà server."""

# A websocket message over tornado's default of 10 MiB closes the socket, and the upload is lost
# without an error. A photo is one message, and for a moment a kernel holds it twice.
MAX_MESSAGE = 64 * 1024 * 1024  # bytes

# Voilà gives the notebook a request's header as a variable named as in RFC 3875.
LANGUAGE_HEADER = "Accept-Language"
LANGUAGE_VARIABLE = "HTTP_ACCEPT_LANGUAGE"
