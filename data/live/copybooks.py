"""What the insurer's host writes where there is no MariaDB: a copybook for each file, and the layout it means.

A line is an item: name, picture, usage. `X(n)` is text, `S9(n)` digits with a sign over the last, `COMP-3` packed,
`COMP` binary. Items follow each other without gaps. Names of parties have letters that are put together of two signs,
which EBCDIC does not have: that file is one of lines in UTF-8.
"""

from __future__ import annotations

import re

from pipelines.declarations import Binary, Chars, Column, FixedWidth, Mainframe, Packed, Zoned
from pipelines.sources.layout import Item
from pipelines.sources.source import Source

CODE_PAGE = "cp273"  # EBCDIC as in Germany
LINES = ("parties",)
COPYBOOKS = {
    "parties": """
        PARTY_NO X(8), PARTY_TYPE X(1), NAME X(50), BIRTH_DT X(6), STREET X(30), HOUSE_NO X(5), ZIP X(5), CITY X(25),
        COUNTRY X(3), LANG X(2), EMAIL X(40), PHONE X(20), ROLES X(5), RISK_CLS X(1), VIP_IND X(1), CREDIT_CT X(11),
        CONSENT_TS X(19), DEL_FLAG X(1), LAST_CHG_TS X(19), BRANCH_USER X(8)
    """,
    "brokers": """
        REGION X(1), BROKER_NO X(5), NAME1 X(30), NAME2 X(30), STATUS X(1), LICENCE_NO X(15), COMM_BP S9(5) COMP-3,
        IBAN X(34), CONTRACT_FROM S9(9) COMP, CONTRACT_TO S9(9) COMP, ZIP X(5), CITY X(20), PHONE X(20), EMAIL X(40),
        TIER S9(1), STMT_CYC X(1), PARTY_NO X(8), SIGNED_TS X(16), LAST_CHG_TS X(19), AREA_MGR X(5)
    """,
    "policies": """
        BRANCH X(1), POLICY_NO X(7), SUFFIX X(2), MANDANT X(2), STATUS X(2), PRODUCT_CD X(4), PRODUCT_GEN X(1),
        BILL_CYC X(1), INCEPT X(6), EXPIRY X(8), PREMIUM_CT S9(11) COMP-3, CURR X(3), SUM_INS_CT S9(13) COMP-3,
        DEDUCT_CT S9(9) COMP-3, HOLDER_NO X(8), PAYER_NO X(8), BROKER_REG X(1), BROKER_NO X(5), RISK_STREET X(30),
        RISK_ZIP X(5), RISK_CITY X(25), TARIFF X(6), CHANNEL X(2), NCB_YEARS S9(3), ENTRY_TS X(14), LAST_CHG_TS X(14),
        CLERK X(8)
    """,
    "endorsements": """
        BRANCH X(1), POLICY_NO X(7), SUFFIX X(2), ENDT_NO X(3), ORIGIN X(3), ENDT_TYPE X(2), EFF_DATE X(8),
        VALID_TO S9(9) COMP, PREM_DELTA_CT S9(9) COMP-3, TAX_CT S9(9) COMP-3, NEW_SUM_CT S9(13) COMP-3, CLAUSE X(80),
        DOC_REF X(20), APPROVED X(1), APPROVER X(20), STATE X(1), ENTRY_TS X(19), PAGES S9(3), LAST_CHG_TS X(19),
        TERMINAL_ID X(8)
    """,
    "invoices": """
        INV_NO X(11), BRANCH X(1), POLICY_NO X(7), SUFFIX X(2), PAYER_NO X(8), INV_DATE S9(9) COMP, DUE_DATE S9(9) COMP,
        PAID_DATE S9(9) COMP, PERIOD_FROM X(6), PERIOD_TO X(6), AMOUNT_CT S9(11) COMP-3, TAX_CT S9(11) COMP-3,
        STATUS X(1), DUN_LEVEL S9(1), PAY_METH X(1), IBAN X(34), PROD_GEN X(1), BILL_CYC X(1), ISSUED_TS X(19),
        REMARK X(60), LAST_CHG_TS X(19), PRINT_JOB X(8)
    """,
    "claims": """
        CLAIM_NO S9(9) COMP, BRANCH X(1), POLICY_NO X(7), SUFFIX X(2), CLAIMANT_NO X(8), LOSS_TS X(19), REPORT_TS X(19),
        LOSS_DT S9(9) COMP, CLOSED_DT S9(9) COMP, CAUSE X(2), STATUS S9(1), RESERVE X(15), PAID_CT S9(11) COMP-3,
        RECOV_CT S9(11) COMP-3, POL_STAT X(2), SUM_AT_LOSS_CT S9(13) COMP-3, CURR_AT_LOSS X(3), HOLDER_AT_LOSS X(8),
        ADJUSTER X(30), LOSS_STREET X(30), LOSS_CITY X(25), POLICE_IND X(1), LAST_CHG_TS X(19), ARCHIVE_BOX X(8)
    """,
}
_ITEM = re.compile(r"(?P<name>\w+) (?P<picture>X|S9)\((?P<places>\d+)\)(?: (?P<usage>COMP(?:-3)?))?")


def source(entity: str, folder: str) -> Source:
    """The file of an entity, as it is declared to the readers."""
    items = layout(entity)
    if entity in LINES:
        columns = (Column(item.name, item.start, item.size) for item in items)
        return FixedWidth(f"{folder}/{entity}_{{date}}.txt", tuple(columns))
    length = items[-1].start - 1 + items[-1].size
    return Mainframe(f"{folder}/{entity}_{{date}}.dat", items, length=length, code_page=CODE_PAGE, unset=("spaces",))


def layout(entity: str) -> tuple[Item, ...]:
    """The items of a copybook at their places."""
    items: list[Item] = []
    for found in _ITEM.finditer(COPYBOOKS[entity]):
        items.append(_item(found, 1 + sum(item.size for item in items)))
    return tuple(items)


def _item(found: re.Match[str], start: int) -> Item:
    name, places = found["name"], int(found["places"])
    if found["picture"] == "X":
        return Chars(name, start, places)
    if found["usage"] == "COMP-3":
        return Packed(name, start, places)
    return Binary(name, start, 4) if found["usage"] == "COMP" else Zoned(name, start, places)
