"""What every test may ask for, those beside the dialects too."""

pytest_plugins = ["tests.support.fixtures"]
