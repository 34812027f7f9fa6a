"""What the statements about jobs must not do, and what a heartbeat must not look like."""

import pytest

from miniepo.store import queries
from miniepo.store.queries import read_sql


@pytest.mark.parametrize("query", ["work/finish", "work/expire", "work/withdraw"])
def test_what_ends_a_job_takes_its_password_and_ends_it_once(query: str) -> None:
    text = queries.query(query)
    assert "Options = Options - 'password'" in text
    assert "Finished IS NULL" in text


def test_a_heartbeat_sets_no_column_that_something_declared_is_made_from() -> None:
    statement = queries.query("handler/heartbeat")
    beats = {"LastUpdate", "OpenConnections", "RefusedConnections"}
    assert {each.split("=")[0].strip() for each in statement.split("SET")[1].split("WHERE")[0].split(", ")} == beats
    schema = read_sql("schema", "schema.sql")
    columns = schema.split("OR UPDATE OF")[1].split("ON EPOAgentHandlers")[0]
    watched = {each.strip() for each in columns.split(",")}
    table = schema.split("CREATE TABLE EPOAgentHandlers (")[1].split("\n);")[0]
    assert watched == {line.split()[0] for line in table.strip().splitlines()} - beats
