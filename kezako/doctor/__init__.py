"""`kezako doctor`: what is here, what is missing, and what to do about it.

It looks; it changes nothing. Every check ends in findings, also where a library that it needs is
missing or a site does not answer: one that stops at the first trouble would not help.
"""
