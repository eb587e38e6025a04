"""Addresses of this machine that nobody listens to."""

import socket


def free_address() -> str:
    """host:port of the loopback, for processes of a test to meet at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"
