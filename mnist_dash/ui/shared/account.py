"""The foot of every page: whose dashboard this is, and who looks at it."""

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from mnist_dash.ui.shared.controls import as_text
from mnist_dash.ui.shared.resources import settings


def account() -> None:
    """Says whether visitors are told apart, and offers to sign in or out where that is configured."""
    signed_in = bool(st.user.get("is_logged_in"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="md_account"):
        st.caption(_mode_words(signed_in), width="content")
        if signed_in:
            st.button("Sign out", key="account_out", type="tertiary", icon=":material/logout:", on_click=st.logout)
        elif _can_sign_in():
            st.button("Sign in", key="account_in", type="tertiary", icon=":material/login:", on_click=st.login)


def _mode_words(signed_in: bool) -> str:
    if not settings().shared:
        return "Not shared: whoever opens this dashboard can change every run."
    who = f"Signed in as {as_text(str(st.user.get('email')))}" if signed_in else "Shared dashboard"
    where = "on every device" if signed_in else "in this browser"
    return f"{who}: everyone sees all runs; your own you can change {where}."


def _can_sign_in() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False
