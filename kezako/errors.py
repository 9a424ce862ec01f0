"""What is told as a sentence, and what keeps its traceback.

An error that a person can act on is a `KezakoError`: its message says what is wrong and what to
do, and every front (command line, notebook, page, API) shows that message alone. OSError and
sqlite3.Error come from the machine; the command line turns them into a sentence. Anything else is
a fault of this program, and keeps its traceback.
"""

from __future__ import annotations


class KezakoError(ValueError):
    """Something a person can mend; the message says what is wrong and what to do."""
