"""One customer in the console: looking at it, changing it, meeting somebody else's change, seeing it as others do."""
