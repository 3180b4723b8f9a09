"""The only Streamlit of the package: what pages share, and one folder a page."""
