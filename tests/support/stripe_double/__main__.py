"""Serve the double on the port that is named, until it is ended."""

import sys

import uvicorn

from tests.support.stripe_double.server import app

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", http="httptools", ws="none")
