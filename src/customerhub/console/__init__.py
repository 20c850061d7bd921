"""The console: what people do with a browser, through the same use cases as every other door."""
