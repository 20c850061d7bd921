"""What is shipped: everything that the package reads at run time, and none of its tests."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


def test_the_wheel_holds_the_package_without_its_tests(tmp_path: Path) -> None:
    """SQL, pages and README files go into the wheel with the code; the tests inside the dialects stay out."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {path.relative_to(SOURCE) for path in (SOURCE / "customerhub").rglob("*") if path.is_file()}
    wanted = {path for path in package if not {"__pycache__", "tests"} & set(path.parts)}
    assert "customerhub/__init__.py" in shipped
    assert shipped == {str(path) for path in wanted}
