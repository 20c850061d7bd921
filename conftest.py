"""What every test may ask for, those beside the dialects too."""

import pytest

# A failed assertion in a helper shows its values, as one in a test does.
pytest.register_assert_rewrite("tests.support")

pytest_plugins = ["tests.support.fixtures"]
