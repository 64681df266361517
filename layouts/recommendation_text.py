"""The words of recommendations that are stored as codes, and of their receipts."""

from __future__ import annotations

from layouts.text import N_

KINDS = {
    "REORDER": N_("Buy"),
    "EXPEDITE": N_("Expedite"),
    "TRANSFER": N_("Transfer"),
    "REDUCE": N_("Reduce"),
    "SWITCH": N_("Change supplier"),
}
STATUSES = {
    "open": N_("Open"),
    "accepted": N_("Accepted"),
    "snoozed": N_("Snoozed"),
    "done": N_("Recommendations done"),
    "rejected": N_("Rejected"),
}
STATUS = {
    "open": N_("Open"),
    "accepted": N_("Recommendation accepted"),
    "snoozed": N_("Recommendation snoozed"),
    "done": N_("Recommendation done"),
    "rejected": N_("Recommendation rejected"),
}
"""Of one of them."""
DONE = {
    "open": N_("Open again."),
    "accepted": N_("Accepted."),
    "snoozed": N_("Snoozed for a week."),
    "done": N_("Marked as done. The purchase request has only what is accepted and not done yet."),
    "rejected": N_("Rejected."),
}
PRIORITIES = {1: "critical", 2: "warning", 3: "info"}
"""The badge of each priority."""

SOURCES = {"template": N_("text from a template"), "llm": N_("text by a language model, checked")}

RECEIPT_WORDS = (
    N_("Available and on order"),
    N_("Quantity"),
    N_("Missing units that the purchase avoids"),
    N_("Value"),
    N_("What the giver keeps"),
    N_("Capital that is freed"),
    N_("comes by transfer"),
    N_("leaves by transfer"),
    N_("available"),
    N_("available and on order"),
    N_("on order"),
    N_("order-up-to level"),
    N_("minimum order"),
    N_("pack"),
    N_("At risk if nothing is done"),
    N_("days that are looked ahead"),
    N_("missing units in these days if nothing is done"),
    N_("missing before an order can arrive"),
    N_("missing units that are avoided"),
    N_("cost of a missing unit"),
    N_("cost of an order"),
    N_("holding the lot meanwhile"),
    N_("value of the order line"),
    N_("premium for hurry"),
    N_("cost of hurry, an order"),
    N_("available at the giver"),
    N_("quantity"),
    N_("capital cost of the purchase that is put off"),
    N_("freight, handling and insurance"),
    N_("unit cost"),
    N_("capital that is freed"),
    N_("holding cost of a year, share of the value"),
    N_("work of getting rid of it"),
    N_("a year from the present supplier"),
    N_("a year from the other supplier"),
    N_("work of changing the supplier"),
)
