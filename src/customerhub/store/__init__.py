"""The only SQL of the project: named queries, one connection lease, migrations."""
