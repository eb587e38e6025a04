"""Accelerator generations: announced releases, list and resale prices, rents; future ones are assumptions."""

from experiments.shipped_book.facts import Row

ROADMAP = "Nvidia roadmap (GTC 2025, Tom's Hardware)"
FUTURE = "price x1.35 a generation; rent 0.118 USD/h per thousand USD of list; gain below the peak claimed"


def chips() -> list[Row]:
    """Ten generations in order of release."""
    columns = (
        "generation", "name", "release_month", "slips", "performance_gain", "list_price_kusd", "price_kusd",
        "rental_usd_per_hour", "operating_cost_usd_per_hour", "installed_million", "hosting_share",
        "accounting_life_years", "source", "grade",
    )  # fmt: skip
    rows = (
        ("A100", "Ampere A100", -66, 0, 1, 12.5, 4.2, 1.3, 0.35, 1.5, 0.9, 6,
         "resale LEAP GPU price index; rent Silicon Data SDA100RT; units assumed", "C"),
        ("H100", "Hopper H100", -38, 0, 1, 30, 18, 2.1, 0.55, 2.6, 0.8, 6,
         "list Silicon Data; resale floor LEAP; rent marketplace indices; units assumed", "C"),
        ("H200", "Hopper H200", -18, 0, 1, 32, 24, 3.0, 0.55, 1.5, 0.8, 6,
         "trade press; units assumed", "C"),
        ("B200", "Blackwell B200", -12, 0, 1, 38, 32, 4.2, 0.7, 1.6, 0.6, 6,
         "CNBC Mar-2024 (list); specialist lists (rent); resale and units assumed", "C"),
        ("GB200", "Grace-Blackwell NVL72", -10, 0, 1, 47, 42, 5.5, 0.85, 1.4, 0.35, 6,
         "rack 3.0-3.9m USD / 72 (analyst press); resale and units assumed", "C"),
        ("GB300", "Blackwell Ultra GB300", -3, 0, 1, 55, 52, 6.4, 0.95, 0.8, 0.3, 6,
         "rack 3.7-4.0m USD / 72 (analyst press); hosting share LEAP; resale and units assumed", "C"),
        ("VR200", "Vera Rubin", 8, 1, 2.2, 75, None, 8.9, 1.2, 0, 0.25, 6, f"{ROADMAP}; {FUTURE}", "C"),
        ("VR300", "Rubin Ultra", 20, 1, 1.8, 100, None, 11.8, 1.5, 0, 0.25, 6, f"{ROADMAP}; {FUTURE}", "C"),
        ("FEYN", "Feynman", 32, 1, 2.0, 135, None, 16, 2.0, 0, 0.25, 6, f"{ROADMAP}; {FUTURE}", "C"),
        ("NEXT", "generation after Feynman", 44, 1, 2.0, 180, None, 21, 2.5, 0, 0.25, 6,
         f"yearly cadence continued; {FUTURE}", "C"),
    )  # fmt: skip
    return [dict(zip(columns, row, strict=True)) for row in rows]


def pledges() -> list[Row]:
    """Thousand units behind each GPU-backed loan; filings say only 'more than 250,000' for CoreWeave."""
    fills = {
        "CRWV_DDTL1": {"H100": 60},
        "CRWV_DDTL2": {"H100": 110, "H200": 30},
        "CRWV_DDTL21": {"H200": 50},
        "CRWV_DDTL3": {"GB200": 100, "GB300": 20},
        "FLUI_GPU": {"H100": 90, "GB200": 40},
        "LAMB_GPU": {"H100": 25, "H200": 10},
        "CRUS_GPU": {"H100": 15, "H200": 12},
        "NSCL_GPU": {"GB300": 22},
        "XSPV_GPU": {"GB200": 150, "GB300": 80},
    }
    source = "assumed; CoreWeave S-1: fleet above 250 thousand"
    return [
        {"loan": loan, "generation": generation, "thousand_units": units, "source": source, "grade": "C"}
        for loan, mix in fills.items()
        for generation, units in mix.items()
    ]
