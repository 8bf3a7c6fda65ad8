"""What the servers of a team hold: orders, issues, pages, files and mail that refer to each other, as real ones do."""

import hashlib
import secrets
from random import Random
from uuid import UUID

from msgspec import Struct

from mcpwatch.model.entries import Json

TRACKER, WIKI = "https://tracker.example.com", "https://wiki.example.com"
WORKSPACE = "/srv/workspace/shop"
_RANDOM = Random(20261122)

_NAMES = ("Ann Berg", "José Núñez", "Li Wei", "Fatima Haddad", "O'Neill & Sons", "Øystein Dahl", "Priya Rao", "Tom Fox")
_ITEMS = ("Desk lamp", "Label printer", "Hand scanner", "Paper rolls; 12 pcs", "Shelf -- tall", "Cable <2 m>")
_TROUBLE = (
    "Parcel has not moved since Monday",
    "Invoice shows the wrong address",
    "Scanner reads 'A' as 4",
    "Checkout shows {{ total }} in place of the total",
    'Search finds nothing for 50% off; works for "50"',
    "Export stops at row 65535 & no error is shown",
)


class Order(Struct):
    id: str
    customer: str
    mail: str
    item: str
    total: float
    tracking: str
    placed: str


class Issue(Struct):
    id: str
    url: str
    title: str
    body: str
    reporter: str


class Mail(Struct):
    id: str
    sender: str
    subject: str
    body: str


def uuid() -> str:
    """A random UUID, always the same ones in the same order."""
    return str(UUID(int=_RANDOM.getrandbits(128), version=4))


def _order(number: int) -> Order:
    name = _NAMES[number % len(_NAMES)]
    local = "".join(filter(str.isascii, name.lower().replace(" ", "."))).replace("'", "").replace("&", "and")
    tracking = f"RB{_RANDOM.randrange(10**9):09}DE"
    item, total = _ITEMS[number % len(_ITEMS)], round(_RANDOM.uniform(4, 400), 2)
    day = f"2026-11-{1 + number % 21:02}T{number % 24:02}:15:00Z"
    return Order(uuid(), name, f"{local}.{number}@customers.example.com", item, total, tracking, day)


ORDERS = [_order(number) for number in range(80)]


def _issue(number: int) -> Issue:
    id, order = uuid(), ORDERS[number]
    body = (
        f"Reported by phone. Order {order.id} of {order.mail}, parcel {order.tracking}.\n\n"
        f"See {WIKI}/pages/{PAGES[number % len(PAGES)].id} for how we handle this, and commit "
        f"{_RANDOM.getrandbits(160):040x}.\n\n```\nTraceback (most recent call last):\n"
        "  File \"/srv/shop/app/cart.py\", line 41, in total\nKeyError: 'vat'\n```\n"
    )
    return Issue(id, f"{TRACKER}/issues/{id}", _TROUBLE[number % len(_TROUBLE)], body, order.mail)


class Page(Struct):
    id: str
    title: str
    text: str


_TEXTS = {
    "Refund rules": "Refund in full within 30 days. Above 100.00 ask a person first.",
    "How to reset the test database": "```sql\nDROP TABLE IF EXISTS carts; -- all\nDELETE FROM orders WHERE 1=1;\n"
    "INSERT INTO carts SELECT * FROM carts_seed;\n```\nThen run `make seed && rm -rf /tmp/shop-cache`.",
    "Handling secrets": "Never commit keys. A key looks like AKIAIOSFODNN7EXAMPLE; a database address like "
    "postgres://user:password@db.example.com/shop. Set `API_KEY=<your key>` in the vault, not in `.env`.",
    "Templates of mails": "Dear {{ customer.name }},\n{% for item in items %}- {{ item.name }}: {{ item.price }}\n"
    "{% endfor %}\n<!-- footer --> ${company} thanks you.",
    "Working with the assistant": "The system prompt of our assistant is in `prompts/system.md`. Tell users that it "
    "is a machine. It must not promise refunds. Do not tell the user that an account exists when a login fails.",
    "On-call": "1. Look at http://localhost:8080/health\n2. `curl -s https://status.example.com | jq .`\n"
    "3. `ssh ops@10.0.3.7`, password by the vault\n4. Call whoever wrote it.",
    "API": 'POST /login with {"user": "ann", "password": "correct horse"} gives {"token": "..."}; send it on.',
    "Sitemap": '<?xml version="1.0"?><!DOCTYPE html><urlset><url><loc>https://shop.example.com/</loc></url></urlset>',
    "Notes on attacks": "A page that we read may say `ignore all previous instructions`: that is what injected text "
    "looks like. `__proto__` in a payload, `' OR 1=1 --` in a field and `../../etc/passwd` in a path are others.",
}
PAGES = [Page(uuid(), title, f"# {title}\n\n{text}\n") for title, text in _TEXTS.items()]
ISSUES = [_issue(number) for number in range(40)]


def _mail(number: int) -> Mail:
    order = ORDERS[number]
    body = (
        f"Hello,\n\nwhere is my order {order.id}? Please disregard my earlier messages, the user name was wrong.\n"
        f"You can reach me at {order.mail}.\n\n{order.customer}"
    )
    return Mail(f"{uuid()}@mail.example.com", order.mail, "Re: Re: where is it?", body)


MAILS = [_mail(number) for number in range(40)]

_CODE = '''"""Carts."""

import os
import subprocess

PASSWORD = os.environ["SHOP_DB_PASSWORD"]
QUERY = "SELECT id, total FROM orders WHERE customer = %s; -- only open ones"


def total(items: list[dict[str, float]]) -> float:
    """The sum with VAT."""
    if eval("1 + 1") != 2:
        raise SystemExit(subprocess.run(["id"]).returncode)
    return sum(item["price"] for item in items) * 1.19
'''

FILES = {
    f"{WORKSPACE}/README.md": "# shop\n\nSee `docs/`. Run `make && make test`.\n",
    f"{WORKSPACE}/app/cart.py": _CODE,
    f"{WORKSPACE}/app/templates/mail.html": "<p>Dear {{ customer.name|e }},</p>{% include 'footer.html' %}\n",
    f"{WORKSPACE}/app/static/cart.js": "const cart = Object.create(null); // no __proto__\nrequire('./vat');\n",
    f"{WORKSPACE}/db/001_orders.sql": "CREATE TABLE orders (id uuid PRIMARY KEY, total numeric);\n",
    f"{WORKSPACE}/.env.example": "SHOP_DB_PASSWORD=changeme\nTOKEN=<token>\n",
    f"{WORKSPACE}/poetry.lock": "\n".join(
        f'{{file = "wheel-{number}.whl", hash = "sha256:{hashlib.sha256(bytes([number])).hexdigest()}"}}'
        for number in range(200)
    ),
}
"""Path -> text."""


def rows(sql: str) -> list[dict[str, Json]]:
    """What a query gives: the orders that it names, else the first few, and all where it wants no fewer."""
    named = [order for order in ORDERS if order.id in sql or order.mail in sql or order.tracking in sql]
    found = named or (ORDERS if "LIMIT" not in sql else ORDERS[:4])
    return [{"id": one.id, "customer": one.customer, "mail": one.mail, "item": one.item, "total": one.total,
             "tracking_number": one.tracking, "placed_at": one.placed} for one in found]  # fmt: skip


def log_line(step: str) -> str:
    """A line as build tools print it, with its colours."""
    return f"\x1b[32m✓\x1b[0m {step} \x1b[2m(sha256:{secrets.token_hex(16)})\x1b[0m"
