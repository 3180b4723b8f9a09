"""The Inside page's parts: which network and layer, and the views of them."""
