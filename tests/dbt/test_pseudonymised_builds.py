"""dbt knows people by their pseudonyms: normal forms as Python makes them, and one person over tools that hide names
and tools that do not.
"""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from jinja2 import Environment

from shared.extract.pseudonyms import Pseudonyms, normal_form
from shared.operate.pseudonyms import rewrite_accounts
from shared.registry import registry
from tests.dbt.ai_raw import load_day, use
from tests.dbt.project import PROJECT, copy_project
from tests.dbt.raw import create_tables
from tests.dbt.warehouse import ACTORS, DAILY, Warehouse
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated

PSEUDONYMS = Pseudonyms(b"0123456789abcdef" * 4)
DAY, WINDOW = date(2026, 11, 10), datetime(2026, 11, 11, 14, 30, tzinfo=UTC)
ACCOUNTS = "engineer_id,account\neng-001,ada@example.test\neng-001,ada\neng-002,bob@example.test\n"
NAMES = (
    *("Ada@Example.Test", "  ada ", "ada+x+y@example.test", "a.d.a+x@dotless.test", "a.d.a@example.test", "+x@y.test"),
    *("a@b@c.test", "a+b", "a+b@", "Ada L.", "ÉLAN", "ΟΔΥΣΣΕΥΣ", "a.b@dotless.test@c", ""),
    *(PSEUDONYMS.of("ada"), PSEUDONYMS.spelled("Ada"), PSEUDONYMS.spelled(" Ada+t@dotless.test")),
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with local_warehouse(Path(tmp_path_factory.mktemp("pseudonym_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            yield Warehouse(server.port, cursor)
        connection.close()


@pytest.mark.parametrize("domains", [(), ("dotless.test", "other.test")])
def test_the_macro_and_python_make_the_same_normal_form(warehouse: Warehouse, domains: tuple[str, ...]) -> None:
    """A pseudonym is of what staging would hash; and staging takes a pseudonym's spelling for the pseudonym."""
    macros = (PROJECT / "macros" / "actors.sql").read_text()
    template = Environment(autoescape=False).from_string(macros + "{{ normalised_actor('name') }}")  # noqa: S701 - SQL
    expression = template.render(var=lambda _: list(domains), hash_pii=None)
    listed = ", ".join(f"({number}, '{name}')" for number, name in enumerate(NAMES))
    rows = warehouse.rows(f"select {expression} from (values {listed}) as names(number, name) order by number")
    assert [row[0] for row in rows] == [normal_form(name, domains) for name in NAMES]


def test_one_person_over_tools_that_hide_names_and_tools_that_do_not(warehouse: Warehouse, tmp_path: Path) -> None:
    """Two tools with one key agree by themselves; the list joins the third, and adds up what two spellings used."""
    hidden = io.StringIO()
    rewrite_accounts(PSEUDONYMS, io.StringIO(ACCOUNTS), hidden)
    project = copy_project(tmp_path, registry(), warehouse.port)
    seeds = project.folder / "seeds"
    (seeds / "seed_engineers.csv").write_text(
        "engineer_id,team,updated_at\neng-001,search,2026-01-01 00:00:00\neng-002,data,2026-01-01 00:00:00\n"
    )
    (seeds / "seed_engineer_accounts.csv").write_text(ACCOUNTS + hidden.getvalue().partition("\n")[2])
    spelled = PSEUDONYMS.spelled
    in_cursor = [
        use(spelled("ada@example.test"), requests=1),
        use(spelled("ADA+cursor@example.test"), requests=2),
        use(spelled("stranger@example.test"), requests=8),
    ]
    load_day(warehouse.cursor, "cursor", DAY, in_cursor, WINDOW)
    in_goose = [use(spelled("ada"), kind="login", requests=4), use(spelled("Stranger@example.test"), requests=16)]
    load_day(warehouse.cursor, "goose", DAY, in_goose, WINDOW)
    load_day(warehouse.cursor, "amp", DAY, [use("Ada@example.test", requests=32)], WINDOW)
    project.run("build", "--select", "tag:ai_dx_metrics", "--exclude-resource-type", "unit_test")
    used = warehouse.rows(
        f"select coalesce(actors.engineer_key, 'nobody'), fact.tool, fact.requests from {DAILY} as fact "
        f"inner join {ACTORS} as actors on actors.actor_key = fact.actor_key order by fact.requests"
    )
    ada = warehouse.value("select sha2('eng-001', 256)")
    assert used == [
        (ada, "cursor", 3),
        (ada, "goose", 4),
        ("nobody", "cursor", 8),
        ("nobody", "goose", 16),
        (ada, "amp", 32),
    ]
    strangers = warehouse.value(f"select count(*) from {ACTORS} where engineer_key is null")
    assert strangers == 1, "one person by the pseudonym, whatever the tool"
