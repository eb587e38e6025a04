"""Undertow: Monte Carlo of tail losses in AI-infrastructure credit."""
