"""Plotly figures from plain values. Pages choose what to show; nothing here reads a store."""
