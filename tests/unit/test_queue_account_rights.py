"""What a grant says of an account: read as the server words it, and judged."""

from pathlib import Path

import pytest

from database import Account, judged, read_grants

DEPLOYED = (Path(__file__).parents[2] / "deploy" / "mysql-accounts.sql").read_text()


def deployed(account: str) -> list[str]:
    """The statements of the sample for one account, one a line."""
    plain = " ".join(line for line in DEPLOYED.splitlines() if not line.startswith("--"))
    return [" ".join(each.split()) + " " for each in plain.split(";") if f"TO '{account}'" in each]


def of(*grants: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    found = judged("me@%", "ocw", list(read_grants(grants)))
    return found.account.value, found.excess, found.missing


def test_the_accounts_of_the_sample_are_what_they_should_be() -> None:
    for account, kind in (("slipway", Account.ENGINE), ("slipway_operator", Account.OPERATOR)):
        found = judged(account, "DATABASE", list(read_grants(deployed(account))))
        assert (found.account, found.excess, found.missing) == (kind, (), ())


def test_an_administrator_has_more_than_it_needs() -> None:
    everything = "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED BY PASSWORD '*2470' WITH GRANT OPTION"
    assert of(everything) == ("engine", ("ALL PRIVILEGES on *.*", "GRANT OPTION on *.*"), ())


def test_the_owner_of_the_tables_has_more_than_an_engine_needs() -> None:
    assert of("GRANT USAGE ON *.* TO `me`@`%`", "GRANT ALL PRIVILEGES ON `ocw`.* TO `me`@`%`")[1] == ("ALL PRIVILEGES on ocw.*",)
    rows = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, EXECUTE ON `ocw`.* TO `me`@`%`"
    assert of(rows) == ("engine", ("CREATE on ocw.*", "DROP on ocw.*"), ())


def test_rights_elsewhere_are_too_much() -> None:
    rows = "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON `ocw`.* TO `me`@`%`"
    assert of(rows, "GRANT SELECT ON `mysql`.* TO `me`@`%`")[1] == ("SELECT on mysql.*",)
    assert of(rows.replace("`ocw`.*", "*.*"))[1][0] == "SELECT on *.*"


def test_an_engine_that_lacks_something_is_told_what() -> None:
    assert of("GRANT SELECT, INSERT, UPDATE, DELETE ON `ocw`.* TO `me`@`%`") == ("engine", (), ("EXECUTE",))


@pytest.mark.parametrize(
    ("grant", "excess"),
    [
        ("GRANT UPDATE ON `ocw`.`publication_task_queue` TO `me`@`%`", "UPDATE on ocw.publication_task_queue"),
        ("GRANT DELETE ON `ocw`.`audit` TO `me`@`%`", "DELETE on ocw.audit"),
        ("GRANT EXECUTE ON `ocw`.* TO `me`@`%`", "EXECUTE on ocw.*"),
    ],
)
def test_an_operator_has_columns_and_no_more(grant: str, excess: str) -> None:
    usual = ("GRANT SELECT ON `ocw`.* TO `me`@`%`", "GRANT INSERT (`url`, `note`) ON `ocw`.`publication_task_queue` TO `me`@`%`")
    assert of(*usual) == ("operator", (), ())
    assert of(*usual, grant) == ("operator", (excess,), ())


def test_who_can_only_look_is_a_reader_and_who_cannot_is_a_stranger() -> None:
    assert of("GRANT SELECT ON `ocw`.* TO `me`@`%`") == ("reader", (), ())
    assert of("GRANT USAGE ON *.* TO `me`@`%` IDENTIFIED BY PASSWORD '*AB, CD ON x TO y'") == ("stranger", (), ("SELECT",))


def test_a_pattern_names_the_database_too() -> None:
    rows = "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON `my\\_ocw`.* TO `me`@`%`"
    assert judged("me", "my_ocw", list(read_grants([rows]))).account is Account.ENGINE
