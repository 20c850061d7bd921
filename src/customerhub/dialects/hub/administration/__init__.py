"""Administration by API: the team and its settings, users, roles, credentials, sessions, the audit trail, and teams."""
