"""Names in, folders of checked pictures out, with a manifest that says where each came from."""

from kezako.gather.run import adopt, gather, gather_from
from kezako.gather.summary import Summary

__all__ = ["Summary", "adopt", "gather", "gather_from"]
