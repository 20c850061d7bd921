"""The canonical record and what may be done to it: pure values and functions without input or output."""
