from __future__ import annotations

import csv
import stat
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def leads(store: Store) -> dict[str, Any]:
    """By address, less the one that every house has."""
    with store.read() as connection:
        rows = connection.execute(select(schema.leads).where(schema.leads.c.id != "lead-1")).all()
        return {row.email: row for row in rows}


def number(store: Store, table: Any) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def write(folder: Path, text: str, encoding: str = "utf-8", newline: str = "\n") -> str:
    path = folder / "leads.csv"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    return str(path)


PLAIN = '''\
External ID,E-mail,First Name,Seats,Locale
crm-1,ani@example.com,Անի,8,hy-AM
crm-2,oleg@example.org,"Олег, ""мл.""",,ru
'''


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_spreadsheets_file_is_read(
    open_house: Opened, tmp_path: Path, encoding: str, newline: str
) -> None:
    house = open_house(HELLO)
    code, told = run("lead", "import", write(tmp_path, PLAIN, encoding, newline))
    assert code == 0, told
    assert "Imported: 2 new" in told
    found = leads(house.store)
    assert found["ani@example.com"].attributes == {"first_name": "Անի", "seats": 8}
    assert found["oleg@example.org"].attributes == {"first_name": 'Олег, "мл."'}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_cells_may_be_separated_otherwise_and_hold_line_breaks(
    open_house: Opened, tmp_path: Path, delimiter: str
) -> None:
    house = open_house(HELLO)
    text = 'email;first_name\nani@example.com;"Ani,\nof Yerevan"\nnobody;x\n'.replace(";", delimiter)
    code, told = run("lead", "import", write(tmp_path, text))
    assert code == 1
    assert leads(house.store)["ani@example.com"].attributes == {"first_name": "Ani,\nof Yerevan"}
    assert "leads.csv:4: email is not an e-mail address" in told, "lines are those of the file"


def test_other_encodings_are_named_and_not_guessed(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "email,first_name\na@example.com,Anna\noleg@example.org,Олег\n", "windows-1251")
    code, told = run("lead", "import", path)
    assert (code, "line 3 is not UTF-8" in told, "--encoding windows-1251" in told) == (1, True, True)
    assert run("lead", "import", path, "--encoding", "windows-1251")[0] == 0
    assert leads(house.store)["oleg@example.org"].attributes == {"first_name": "Олег"}
    assert run("lead", "import", path, "--encoding", "klingon")[0] == 1


def test_bad_rows_are_told_by_line_and_left_out_into_a_file(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    text = (
        "email,Seats,birthday\n"
        "ani@example.com,8,1990-02-28\n"
        "bad,9,\n"
        "c@example.com,many,1990-02-30\n"
        "\n"
        ",4,\n"
        "d@example.com,1,,one more\n"
        '"e@example.com"x,1,\n'
        "f@example.com,2,\n"
        '"g@example.com,3,\n'
    )
    code, told = run("lead", "import", write(tmp_path, text))
    assert code == 1
    assert "leads.csv:4: Seats must be a whole number; birthday must be a date like 2026-03-02" in told
    assert "leads.csv:6: needs external_id, email, phone or anonymous_id" in told
    assert "leads.csv:7: it has more than the 3 cells of the first line" in told
    assert 'leads.csv:8: a quote (") stands in the middle of a cell' in told
    assert 'leads.csv:10: a quote (") is opened and not closed' in told
    assert "Imported: 2 new" in told
    assert "Left out: 6 rows" in told
    assert sorted(leads(house.store)) == ["ani@example.com", "f@example.com"]
    rejected = tmp_path / "leads.rejected.csv"
    assert stat.S_IMODE(rejected.stat().st_mode) == 0o600
    with rejected.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rejected_line"] for row in rows] == ["3", "4", "6", "7", "8", "10"]
    assert rows[1]["email"] == "c@example.com"


def test_what_was_rejected_is_mended_and_imported_as_it_is(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    run("lead", "import", write(tmp_path, "email,Seats\nani@example.com,many\n"))
    rejected = tmp_path / "leads.rejected.csv"
    rejected.write_text(rejected.read_text("utf-8-sig").replace("many", "8"), "utf-8-sig")
    assert run("lead", "import", str(rejected))[0] == 0
    assert leads(house.store)["ani@example.com"].attributes == {"seats": 8}


def test_columns_that_are_no_field_are_told_with_the_nearest_and_can_be_mapped(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "Mail address,First nam,id,Shoe size\nani@example.com,Ani,7,38\n")
    code, told = run("lead", "import", path)
    assert code == 1
    assert "column `First nam` is no field of a lead and no attribute" in told
    assert "did you mean `first_name`?" in told
    assert "--map 'id=external_id'" in told
    assert leads(house.store) == {}
    mapping = ["--map", "Mail address=email", "--map", "First nam=first_name", "--map", "id=external_id"]
    assert run("lead", "import", path, *mapping, "--map", "Shoe size=")[0] == 0
    assert run("lead", "import", path, *mapping, "--ignore-rest")[0] == 0
    assert leads(house.store)["ani@example.com"].external_id == "7"
    assert "leads have no field `moil`" in run("lead", "import", path, "--map", "Mail address=moil")[1]
    assert "there is no column `x`" in run("lead", "import", path, "--map", "x=email")[1]


def test_without_a_column_that_says_who_nothing_is_imported(open_house: Opened, tmp_path: Path) -> None:
    open_house(HELLO)
    code, told = run("lead", "import", write(tmp_path, "first_name\nAni\n"))
    assert (code, "no column says who" in told) == (1, True)
    assert run("lead", "import", write(tmp_path, ""))[0] == 1
    assert run("lead", "import", str(tmp_path / "none.csv"))[0] == 1


def test_an_import_is_history_and_starts_nothing(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, PLAIN)
    assert run("lead", "import", path)[0] == 0
    assert number(house.store, schema.runs) == 0
    code, told = run("lead", "import", path)
    assert (code, "0 new, 0 changed, 2 as they were" in told) == (0, True), "a repeat changes nothing"


def test_an_import_stands_in_the_audit_log_with_its_counts_and_a_dry_run_does_not(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, PLAIN)
    assert run("lead", "import", path, "--dry-run")[0] == 0
    assert run("lead", "import", path)[0] == 0
    with house.store.read() as connection:
        acts = connection.execute(select(schema.audit).where(schema.audit.c.what == "import")).all()
    assert [one.detail["rows"]["created"] for one in acts] == [2]
    assert acts[0].by


def test_a_dry_run_changes_nothing(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    code, told = run("lead", "import", write(tmp_path, PLAIN), "--dry-run", "--enrol", "welcome")
    assert (code, "it would be: 2 new" in told, "Enrolled in welcome: 2." in told) == (0, True, True)
    assert leads(house.store) == {}
    assert number(house.store, schema.events) == 0


def test_consent_is_never_given_silently(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "email,consent.email\nani@example.com,yes\noleg@example.org,no\n")
    code, told = run("lead", "import", path)
    assert (code, "column `consent.email` gives consent" in told) == (1, True)
    assert run("lead", "import", path, "--map", "consent.email=")[0] == 0
    assert [row.consent for row in leads(house.store).values()] == [{}, {}]
    assert run("lead", "import", path, "--map", "consent.email=consent.email")[0] == 0
    assert {email: row.consent for email, row in leads(house.store).items()} == {
        "ani@example.com": {"email": True},
        "oleg@example.org": {"email": False},
    }


def test_who_has_said_no_keeps_that_whatever_a_file_says(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = write(tmp_path, "email\nani@example.com\noleg@example.org\n")
    assert run("lead", "import", path)[0] == 0
    with house.store.write() as connection:
        unsubscribed = schema.leads.c.email == "oleg@example.org"
        connection.execute(update(schema.leads).where(unsubscribed).values(consent={"email": False}))
    code, told = run("lead", "import", path, "--consent", "email,sms")
    assert (code, "1 lead had said no to a channel" in told) == (0, True), told
    found = leads(house.store)
    assert found["ani@example.com"].consent == {"email": True, "sms": True}
    assert found["oleg@example.org"].consent == {"email": False, "sms": True}
    assert run("lead", "import", path, "--consent", "letter")[0] == 1


def test_enrolling_asks_with_a_count_and_does_it_once(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(plan(email("hello"), trigger=HELLO.trigger.model_copy(update={"reentry": "always"})))
    path = write(tmp_path, PLAIN)
    code, told = run("lead", "import", path, "--enrol", "welcome", says="n\n")
    assert (code, "Enrol up to 2 leads in journey welcome?" in told) == (1, True)
    assert leads(house.store) == {}
    assert run("lead", "import", path, "--enrol", "welcom", "--yes")[0] == 1
    code, told = run("lead", "import", path, "--enrol", "welcome", "--yes")
    assert (code, "Enrolled in welcome: 2." in told) == (0, True), told
    with house.store.write() as connection:  # they come to its end
        connection.execute(update(schema.runs).values(ended_at=schema.runs.c.started_at, outcome="finished"))
    code, told = run("lead", "import", path, "--enrol", "welcome", "--yes")
    assert (code, "Not enrolled: 2. The lead was enrolled by this before." in told) == (0, True), told
    assert number(house.store, schema.runs) == 2


def test_a_long_file_takes_little_memory(open_house: Opened, tmp_path: Path) -> None:
    from dripline.ingest.csv_file import look_at

    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("email,first_name\n")
        file.writelines(f"a{number}@example.com,{'x' * 200}\n" for number in range(40_000))
    tracemalloc.start()
    found = look_at(path)
    assert sum(1 for _ in found.read()) == found.rows == 40_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 8_000_000
    assert peak < 6_000_000
