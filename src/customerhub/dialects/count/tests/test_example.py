"""The examples that people are shown: they run as pasted."""

import json
from pathlib import Path
from uuid import UUID

import anyio

from customerhub.core.customers import get_customer
from customerhub.dialects.count import dialect
from customerhub.model.answer import Caller
from tests.cli.support import Serving
from tests.support.count import Partner
from tests.support.fixtures import SECRET_KEY


async def test_the_examples_sign_read_and_update(partner: Partner, database_url: str, tmp_path: Path) -> None:
    """Pasted into a shell they read and change the customer, and again, since they sign anew each time."""
    made = await partner.create()
    credential = UUID(partner.credential["id"])
    caller = Caller(partner.team.id, credential, credential, "test", dialect.name)
    customer = (await get_customer(partner.hub, caller, UUID(made["uuid"]))).customer
    key = {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY}
    with Serving(tmp_path / "data", "--database-url", database_url, **key) as serving:
        read = dialect.example_read(serving.url, partner.credential, customer)
        done = await anyio.run_process(["sh", "-c", read], check=False)
        assert json.loads(done.stdout)["data"] == made, done.stdout
        script = dialect.example(serving.url, partner.credential, customer)
        for _ in range(2):
            done = await anyio.run_process(["sh", "-c", script], check=False)
            assert json.loads(done.stdout)["data"]["mainPhone"] == "+44 113 496 0000", done.stdout
    assert (await partner.get(made["uuid"]))["mainPhone"] == "+44 113 496 0000"
