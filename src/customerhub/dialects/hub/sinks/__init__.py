"""Sinks through the hub's own API: webhooks, Stripe, accounts with other systems, and what is on its way to them."""
