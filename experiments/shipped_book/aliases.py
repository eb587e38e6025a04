"""Names under which a spreadsheet may have firms of the shipped books, beside their ids and names."""

ALIASES = {
    "ai_credit_2025": {
        "Google": "GOOG", "GOOGL": "GOOG", "Alphabet (Google)": "GOOG", "Google Cloud": "GOOG", "GCP": "GOOG",
        "Facebook": "META", "Meta Platforms": "META", "Amazon.com": "AMZN", "AWS": "AMZN",
        "Amazon Web Services": "AMZN", "Azure": "MSFT", "Microsoft Azure": "MSFT", "OCI": "ORCL",
        "Oracle Cloud": "ORCL", "Oracle Cloud Infrastructure": "ORCL", "Open AI": "OAI", "OpenAI OpCo": "OAI",
        "OpenAI Global": "OAI", "x AI": "XAI", "X.AI": "XAI", "Anthropic PBC": "ANTH", "Lambda Labs": "LAMB",
        "Crusoe Energy": "CRUS", "Crusoe Energy Systems": "CRUS", "Crusoe AI": "CRUS", "Nebius Group": "NBIS",
        "Iris Energy": "IREN", "Cipher Digital": "CIFR", "Core Weave": "CRWV", "NVIDIA": "NVDA",
        "Advanced Micro Devices": "AMD", "Broadcom": "AVGO", "AVGO": "AVGO", "Rowan": "ROWAN",
        "Rowan Digital": "ROWAN", "Fluid Stack": "FLUI", "Tera Wulf": "WULF",
    },
}  # fmt: skip
"""Ids of firms by alias, by book."""
