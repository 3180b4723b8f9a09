"""Who a visitor is: the signed-in user, else a browser, known by a signed token in a cookie of ours.

The token is random and means nothing; its signature keeps a visitor from making up a token, and
the database holds only a digest of it. Streamlit can read cookies but not set them, so the page
sets it by a script: it cannot be HttpOnly, and scripts of ours are the only ones on the page. Where a
browser keeps no cookies, or sends none because the page is embedded in another site, a visitor is
known until the tab is closed.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import streamlit as st

_COOKIE = "mnist_dash_visitor"
_EARLIER_COOKIE = "_streamlit_xsrf"
_STATE, _ADOPTED = "visitor_token", "visitor_adopted"
_BYTES = 24
_TOKEN = re.compile(r"([A-Za-z0-9_-]{32})\.([0-9a-f]{64})")

_cookie_setter = st.components.v2.component(
    "mnist_dash_cookie",
    html='<i class="md-cookie"></i>',
    js=Path(__file__).with_name("identity.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def signed(token: str, key: bytes) -> str:
    """Returns a token with its signature, as the cookie holds it."""
    return f"{token}.{hmac.new(key, token.encode(), hashlib.sha256).hexdigest()}"


def verified(cookie: str, key: bytes) -> str | None:
    """Returns the token of a cookie that we signed; None for any other text."""
    match = _TOKEN.fullmatch(cookie[:200])
    if match is None or not hmac.compare_digest(signed(match[1], key), cookie):
        return None
    return match[1]


def owner_of(token: str) -> str:
    """Returns how the database calls a visitor: whoever reads it does not learn the token."""
    return f"browser-{hashlib.sha256(token.encode()).hexdigest()[:32]}"


def _cookie() -> str:
    sent = st.context.cookies.get(_COOKIE)
    return sent if isinstance(sent, str) else ""


def visitor_token(key: bytes) -> str:
    """Returns this visitor's token: the cookie's, or a new one for this session."""
    if _STATE not in st.session_state:
        known = verified(_cookie(), key)
        st.session_state[_STATE] = known or secrets.token_urlsafe(_BYTES)
    return str(st.session_state[_STATE])


def remember_visitor(key: bytes, adopt: Callable[[str, str], None]) -> None:
    """Sets the cookie, unless the browser has sent it; to be called once a page.

    Args:
        key: Signs the token.
        adopt: Called once with what version 0.4 called this browser and how it is called now.
    """
    token = visitor_token(key)
    if verified(_cookie(), key) == token:
        return
    _cookie_setter(key="visitor_cookie", data={"name": _COOKIE, "value": signed(token, key)})
    earlier = earlier_owner(st.context.cookies.get(_EARLIER_COOKIE))
    if earlier and not st.session_state.get(_ADOPTED):
        st.session_state[_ADOPTED] = True
        adopt(earlier, owner_of(token))


def earlier_owner(cookie: object) -> str | None:
    """Returns how version 0.4 called the browser that sends this cookie of Streamlit's against forged requests.

    It is 2|mask|masked token|time in hexadecimal, under a new mask each time; the token stays.
    """
    try:
        _, mask, masked, _ = str(cookie).split("|")
        key, token = bytes.fromhex(mask), bytes.fromhex(masked)
        secret = bytes(byte ^ key[index % len(key)] for index, byte in enumerate(token))
    except (ValueError, ZeroDivisionError):
        return None
    return f"browser-{hashlib.sha256(secret).hexdigest()[:32]}" if secret else None
