"""What the crowd's servers offer."""

from collections.abc import Mapping

OFFERED: Mapping[str, tuple[str, ...]] = {
    "warehouse": (
        "find_item",
        "count_stock",
        "reserve_item",
        "release_item",
        "move_item",
        "list_shelves",
        "weigh_parcel",
        "print_label",
        "schedule_pickup",
        "track_parcel",
    ),
    "billing": (
        "draft_invoice",
        "find_invoice",
        "list_payments",
        "match_payment",
        "quote_price",
        "apply_discount",
        "list_taxes",
        "find_customer",
        "open_balance",
        "month_report",
    ),
    "search": (
        "search_docs",
        "search_tickets",
        "search_people",
        "suggest_terms",
        "similar_docs",
        "summarise_doc",
        "list_sources",
        "count_hits",
        "read_snippet",
        "rank_results",
    ),
    "calendar": (
        "list_events",
        "find_slot",
        "book_slot",
        "move_event",
        "invite_person",
        "list_rooms",
        "free_rooms",
        "time_zones",
        "week_view",
        "remind_later",
    ),
    "tickets": (
        "open_ticket",
        "find_ticket",
        "assign_ticket",
        "comment_ticket",
        "close_ticket",
        "list_queue",
        "set_priority",
        "link_tickets",
        "queue_report",
        "next_ticket",
    ),
}
"""Server -> its tools."""


def definition(tool: str) -> dict[str, object]:
    """A tool as `tools/list` has it."""
    return {
        "name": tool,
        "description": f"{tool.replace('_', ' ').capitalize()} for one reference.",
        "inputSchema": {"type": "object", "properties": {"reference": {"type": "string"}}, "required": ["reference"]},
    }
