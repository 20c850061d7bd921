"""A PostgreSQL of customerhub's own: made, started, shared, supervised and stopped without anybody's help."""

from customerhub.embedded.account import RootRules
from customerhub.embedded.cluster import Cluster, open_cluster
from customerhub.embedded.errors import EmbeddedError

__all__ = ["Cluster", "EmbeddedError", "RootRules", "open_cluster"]
