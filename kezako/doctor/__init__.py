"""`kezako doctor`: says what is installed, what is missing, and what to do about it.

It changes nothing. Every check gives findings, also if a library is missing or a site does not
answer: stopping at the first problem would not help.
"""
