"""Use cases: what every door may do to a customer and to what customers refer to."""
