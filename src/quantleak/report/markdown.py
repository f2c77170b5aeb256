"""Text from data made safe for Markdown, which may hold HTML."""

from __future__ import annotations

import re


def escaped(text: object) -> str:
    r"""Text that Markdown shows as it is, on one line: no HTML, no link, no table cell that ends early.

    Example:
        >>> print(escaped("<b>*x*|[y](z)</b>"))
        &lt;b&gt;\*x\*\|\[y\](z)&lt;/b&gt;
    """
    line = printable(" ".join(str(text).split()))
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", safe)
    # Many renderers make links of bare addresses.
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def code(text: object) -> str:
    """Text for a code span, in which nothing but its own mark and the line's end has a meaning.

    Example:
        >>> code("a`b"), code("uniform:4|x")
        ("a'b", 'uniform:4/x')
    """
    return printable(str(text)).replace("`", "'").replace("|", "/")


def printable(text: str) -> str:
    """Without characters that break a line or command a terminal.

    Example:
        >>> printable("a" + chr(10) + "b")
        'a?b'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)
