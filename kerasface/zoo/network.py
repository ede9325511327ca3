"""What a failed request means, in words that say what to look at."""

import socket
import urllib.parse

__all__ = ["reason"]


def reason(url, error):
    """Tells why a host could not be asked, or broke off.

    Args:
        url: that was asked for.
        error: an exception of `requests`.

    Returns:
        Half a sentence.
    """
    import requests

    host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]  # without a password
    if isinstance(error, requests.exceptions.HTTPError):
        return f"{host} says {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy on the way to {host} doesn't let through; HTTPS_PROXY or HTTP_PROXY names it"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} can't prove that it is that host ({_innermost(error)})"
    if isinstance(error, requests.exceptions.Timeout):
        return f"{host} doesn't answer"
    innermost = _innermost(error)
    if isinstance(innermost, socket.gaierror):
        return f"no host {host} is known: it is mistyped, or the network is away"
    # Not always the system's own: what a broken transfer ends with is an error of http.client.
    return f"{host} is not to be reached, or broke off ({getattr(innermost, 'strerror', None) or innermost})"


def _innermost(error):
    """What the system said, at the end of the chain."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return error
