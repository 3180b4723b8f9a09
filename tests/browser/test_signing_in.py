"""Signed-in visitors of a shared dashboard: known by their address in every browser, as docs/hosting.md says."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from mnist_dash.store.records import PAUSED
from mnist_dash.store.run_store import RunStore
from tests.browser.serving import free_port, open_page, serving
from tests.browser.test_in_a_browser import wait_until
from tests.support.openid import CLIENT, Provider, openid_provider

TRAIN = "Train a network"


def secrets_file(folder: Path, provider: Provider, port: int) -> Path:
    lines = {**CLIENT, "cookie_secret": "also not a secret", "server_metadata_url": ""}
    lines["server_metadata_url"] = f"{provider.url}/.well-known/openid-configuration"
    lines["redirect_uri"] = f"http://127.0.0.1:{port}/oauth2callback"
    file = folder / "secrets.toml"
    file.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in lines.items()))
    return file


def signed_in(browser: Browser, url: str, address: str) -> Page:
    page = browser.new_context().new_page()
    open_page(page, f"{url}/train", TRAIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {address}: everyone sees all runs")).to_be_visible(timeout=30_000)
    open_page(page, f"{url}/train?train_variant=cnn&epochs=100", TRAIN)
    return page


def test_who_signs_in_has_their_runs_in_every_browser_and_nobody_else_has(
    browser: Browser, database: str, tmp_path: Path
):
    port = free_port()
    with openid_provider() as provider:
        settings = {"MNIST_DASH_DATABASE_URL": database, "MNIST_DASH_SHARED": "1"}
        settings["STREAMLIT_SECRETS_FILES"] = str(secrets_file(tmp_path, provider, port))
        with serving(settings, port=port) as server:
            page = signed_in(browser, server.url, "ann@example.org")
            page.get_by_role("button", name="Start training").click()
            store = RunStore(database)
            wait_until(lambda: [run for run in store.list_runs() if run.owner == "ann@example.org"])
            [run] = [run for run in store.list_runs() if run.owner == "ann@example.org"]
            expect(page.locator(f".st-key-train_pause_{run.id} button").first).to_be_enabled(timeout=60_000)

            provider.email = "bob@example.org"
            bobs = signed_in(browser, server.url, "bob@example.org")
            expect(bobs.locator(f".st-key-train_pause_{run.id} button").first).to_be_disabled()
            provider.email = "ann@example.org"
            elsewhere = signed_in(browser, server.url, "ann@example.org")
            elsewhere.locator(f".st-key-train_pause_{run.id} button").first.click()
            wait_until(lambda: store.get_run(run.id).status == PAUSED)

            elsewhere.get_by_role("button", name="Sign out").click()
            expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible(timeout=30_000)
            store.close()
