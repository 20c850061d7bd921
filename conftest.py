"""What every test may ask for, those beside the dialects too."""

import gc
import signal

import pytest

# A failed assertion in a helper shows its values, as one in a test does.
pytest.register_assert_rewrite("tests.support")

pytest_plugins = ["tests.support.fixtures"]

# A shell starts what it runs in the background deaf to Ctrl-C, and every process that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What has been loaded by now stays to the end: nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()
