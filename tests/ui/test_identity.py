"""Who a visitor is: a signed token that nobody can make up, kept in a cookie and, as a digest only, in the store."""

import hashlib

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.store.kept_digits import KeptDigits
from mnist_dash.store.keys import secret_key
from mnist_dash.store.owners import adopt
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Visitor
from mnist_dash.ui.shared.identity import earlier_owner, owner_of, signed, verified

KEY, TOKEN = b"k" * 32, "a" * 32


def test_a_token_that_we_signed_is_known_again():
    assert verified(signed(TOKEN, KEY), KEY) == TOKEN


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        TOKEN,
        f"{TOKEN}.{'0' * 64}",
        signed(TOKEN, b"another key"),
        signed("b" * 32, KEY).replace("b", "a"),
        signed(TOKEN, KEY) + "x",
        signed(TOKEN, KEY)[:-1],
        signed("<b>" + "a" * 29, KEY),
        "a" * 10_000,
        "é" * 32 + "." + "0" * 64,
    ],
)
def test_a_cookie_that_we_did_not_sign_identifies_nobody(cookie):
    assert verified(cookie, KEY) is None


def test_the_store_does_not_learn_the_token():
    assert TOKEN not in owner_of(TOKEN)
    assert owner_of(TOKEN) == f"browser-{hashlib.sha256(TOKEN.encode()).hexdigest()[:32]}"


def test_all_dashboards_on_a_store_have_the_same_key(store: RunStore, store_url: str):
    second = RunStore(store_url)

    key = secret_key(store, "visitors")

    assert secret_key(second, "visitors") == key
    assert len(key) == 32
    assert secret_key(second, "others") != key
    second.close()


def a_page():
    import streamlit as st

    from mnist_dash.ui.shared import identity

    key = b"k" * 32
    identity.remember_visitor(key, lambda earlier, owner: None)
    st.text(identity.visitor_token(key))


def test_a_session_without_cookies_has_one_token_and_asks_the_browser_to_keep_it():
    app = AppTest.from_function(a_page, default_timeout=30).run()
    first = app.text[0].value

    app.run()

    assert app.text[0].value == first
    [setter] = app.get("bidi_component")
    assert setter.proto.component_name == "mnist_dash_cookie"
    assert AppTest.from_function(a_page, default_timeout=30).run().text[0].value != first


# Cookies that one Chromium sent to version 0.4 at two visits, and another.
FIRST_VISIT = "2|8afbb18f|55cb4f4781a3c82daa03301a42e6436c|1795302084"
SECOND_VISIT = "2|752f70a1|aa1f8e697e77090355d7f134bd328242|1795302084"
ANOTHER_BROWSER = "2|752f70a1|aa1f8e697e77090355d7f134bd328243|1795302084"


def test_a_browser_of_version_0_4_is_known_by_the_cookie_that_it_had():
    assert earlier_owner(FIRST_VISIT) == earlier_owner(SECOND_VISIT)
    assert earlier_owner(FIRST_VISIT) != earlier_owner(ANOTHER_BROWSER)


@pytest.mark.parametrize("cookie", [None, "", "2", "2||aa|1", "2|xx|yy|1", "1|2|3|4|5", "|||"])
def test_a_cookie_of_another_kind_is_nobodys(cookie):
    assert earlier_owner(cookie) is None


def test_what_a_visitor_owned_goes_with_a_new_name_and_nothing_else(store: RunStore):
    mine = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0", by=Visitor("before"))
    others = store.create_run("dense-32", {}, dataset="mnist", fingerprint="0", by=Visitor("ann"))
    KeptDigits(store).keep("before", np.zeros((1, 28, 28), np.uint8), np.array([3]))

    adopt(store, "before", "now")
    adopt(store, "nobody", "now")

    assert (store.get_run(mine.id).owner, store.get_run(others.id).owner) == ("now", "ann")
    assert len(KeptDigits(store).read("now").y) == 1
    assert len(KeptDigits(store).read("before").y) == 0
