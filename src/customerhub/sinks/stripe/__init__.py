"""Stripe: customers are kept there as they are here, and what is changed there comes back in."""
