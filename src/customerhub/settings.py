"""Every setting of the hub in one table: name, type, default, one sentence; environment, help and docs follow it."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from `CUSTOMERHUB_<NAME>` in the environment; the command line overrides."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERHUB_", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("data"), description="Directory of the hub's own PostgreSQL and files.")
    database_url: str = Field("", description="An external PostgreSQL (15 or newer) instead of the hub's own.")
    direct_url: str = Field(
        "", description="Where sessions reach that PostgreSQL, if database_url leads to a pooler of transactions."
    )
    postgres_bin: Path | None = Field(None, description="Directory of PostgreSQL programs to use for the hub's own.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    metrics_host: str = Field("127.0.0.1", description="Address on which to answer with metrics.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Port for metrics; 0 takes a free one, empty answers with none."
    )
    slow_statement_ms: float = Field(
        500, ge=0, description="Milliseconds from which on a statement is told in the log by its name; 0 tells of none."
    )
    trusted_proxies: str = Field("", description="Addresses, with commas, whose X-Forwarded-For names the client.")
    leaving_seconds: float = Field(
        0, ge=0, description="Seconds from being told to stop until it does, with /readyz at 503 for balancers."
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that answer requests.")
    connections: int = Field(
        16,
        ge=1,
        le=100,
        description="Database connections with which each process answers; eleven more are for what it does beside.",
    )
    prepared_statements: bool = Field(True, description="Off behind a pooler that cannot keep prepared statements.")
    rate_limit: str = Field(
        "", description="Requests a credential may make, such as `100/minute`, unless its team says otherwise."
    )
    address_rate_limit: str = Field(
        "", description="Requests an address may make, such as `20/second`; answers then say what is left."
    )
    rate_limit_storage: str = Field(
        "database://", description="Where limits are counted: database://, redis://host, or memory:// of each process."
    )
    password_failures: str = Field(
        "10/minute", description="Failed sign-ins of a login from one address; an address may fail thrice as often."
    )
    signing_failures: str = Field(
        "60/minute", description="Requests an address may sign wrongly before it is told to wait."
    )
    signature_seconds: int = Field(
        300, ge=1, description="Seconds that a signed request's time may be apart from the hub's."
    )
    access_token_seconds: int = Field(3600, ge=1, description="Seconds that an access token lives.")
    refresh_token_seconds: int = Field(30 * 86_400, ge=1, description="Seconds that a refresh token lives.")
    consent_seconds: int = Field(600, ge=1, description="Seconds a person has to allow or deny a partner.")
    code_seconds: int = Field(60, ge=1, description="Seconds in which a partner takes tokens for its code.")
    session_seconds: int = Field(12 * 3600, ge=60, description="Seconds after which a person signs in again.")
    session_idle_seconds: int = Field(3600, ge=60, description="Seconds without a request that end a session.")
    private_callbacks: bool = Field(False, description="Whether sinks may lead to private and local addresses.")
    deliveries: bool = Field(True, description="Whether the processes that answer requests also tell sinks of changes.")
    retry_seconds: float = Field(
        5, gt=0, description="Seconds before the first retry of a webhook; all later and other retries follow it."
    )
    sink_days: float = Field(5, gt=0, description="Days without one success after which a failing sink is disabled.")
    delivery_days: float = Field(30, gt=0, description="Days after which a settled delivery and its attempts go.")
    public_url: str = Field("", description="Where people reach the hub, if not at the host that they ask for.")
    allowed_hosts: str = Field(
        "",
        pattern=r"^ *(?:(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?: *, *|$))*$",
        description="Names, with commas, that a request's Host may have; health and documents take any, as empty does.",
    )
    secret_key: str = Field(
        "", repr=False, description="Key of stored secrets, the newest first, with commas; needed with a database_url."
    )
    secret_key_file: Path | None = Field(
        None, description="File with the key instead; `secret.key` in the data directory of the hub's own database."
    )
    max_body: int = Field(1_048_576, ge=1024, description="Bytes of a request body; more is refused with 413.")
    body_seconds: float = Field(30, gt=0, description="Seconds a client may take to send its body.")
    stall_seconds: float = Field(
        60, gt=0, description="Seconds after which a client that takes nothing of an export is hung up on."
    )
    exports: int = Field(
        2, ge=1, le=100, description="Exports that each process makes at a time, each with a connection of its own."
    )
    export_seconds: float = Field(
        3600, gt=0, description="Seconds after which an export that is not finished is broken off."
    )
    key_hours: float = Field(24, gt=0, description="Hours after which an idempotency key is new again.")
    history_days: float | None = Field(
        None, gt=0, description="Days after which former versions go; the newest of those stays whole. Empty keeps all."
    )
    event_days: float = Field(90, gt=0, description="Days after which an event goes; the change that it told of stays.")
    audit_days: float | None = Field(
        None,
        gt=0,
        description="Days after which word of what was done to anything but a customer goes. Empty keeps all.",
    )
    import_days: float = Field(
        30, gt=0, description="Days after which the rows of an import go that nobody has touched; its name stays."
    )
    request_logs: bool = Field(True, description="Whether requests are logged for the dialects that show such logs.")
    request_log_days: float = Field(30, gt=0, description="Days after which an entry of the request log goes.")
    request_log_rows: int = Field(1_000_000, ge=1, description="Entries a team's request log keeps, the newest.")
    request_log_bodies: bool = Field(False, description="Whether the log keeps bodies, where they hold no secret.")
    require_api_version: bool = Field(
        False, description="Whether a request must name its API version, where the dialect has a header for it."
    )
    patience_seconds: float = Field(5, gt=0, description="Seconds a write waits for others on the same record.")
    sandbox: bool = Field(False, description="Whether requests may ask for faults, and all data may be put back.")
    sandbox_dir: Path = Field(Path("sandbox"), description="Directory of a sandbox, which `data_dir` is not.")
    seed: int | None = Field(None, description="What a sandbox takes its clock and its ids from; empty is chance.")
    simulated_seconds: float = Field(60, gt=0, description="Seconds that a fault that was asked for lasts at most.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least grave that is logged: debug, info, warning or error."
    )
    log_format: Literal["auto", "json", "text"] = Field("auto", description="json, text, or auto: text on a terminal.")

    @property
    def session_url(self) -> str:
        """Where PostgreSQL itself is reached, behind a pooler too: for migrations, and what else needs a session."""
        return self.direct_url or self.database_url
