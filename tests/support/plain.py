"""Plain HTTP to servers of this machine, which show no certificate."""

import ssl
from typing import Final

PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: a client that reads whom the machine trusts, to ask nobody by TLS, takes 20 ms for it each time."""
