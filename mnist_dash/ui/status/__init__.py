"""The Status page's parts: what whoever runs the dashboard wants to know."""
