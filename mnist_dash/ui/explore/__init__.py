"""The Explore page's parts: which images are chosen, and the views of them."""
