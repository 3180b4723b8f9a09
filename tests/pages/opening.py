"""Opens pages in Streamlit's own test harness."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")
PAGES = ("overview", "explore", "train", "curves", "compare", "draw", "inside", "status")
TIMEOUT_S = 60


def opened(page: str, **link: str) -> AppTest:
    """Opens a page, with what stands in its link."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT_S).run()
    if page != "overview":
        app.switch_page(f"pages/{page}.py")
        for name, value in link.items():
            app.query_params[name] = value
        app.run()
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.subheader, app.title)
    html = [element.proto.body for element in app.get("html") if "md-frame" not in element.proto.body]
    return plain(" ".join([str(element.value) for kind in kinds for element in kind] + html))


def plain(words: str) -> str:
    """Returns words with spaces instead of those at which no line ends."""
    return words.replace("\u00a0", " ").replace("\u2009", " ")


def url_of(app: AppTest) -> dict[str, str]:
    """Returns what stands in the page's link."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def unfolds(app: AppTest, key: str) -> None:
    """Opens an expander, as a click on it would."""
    app.session_state[key] = True
    app.run()
