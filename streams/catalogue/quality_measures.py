"""What the correlation is computed of, and how good the quotes of the index are."""

from typing import Final

from streams.catalogue.measure import Measure

INPUTS: Final = (
    Measure(
        "index_atm_vol",
        "vol",
        "index ATM vol",
        "50-delta vol of the index",
        "no_quotes",
        formula="s_I, the 50-delta vol of the index",
        page="at-the-money-vol",
        evidence=8,
        explained=6,
    ),
    Measure(
        "basket_atm_vol",
        "vol",
        "basket ATM vol",
        "weighted mean of the 50-delta vols of the largest names",
        "no_quotes",
        formula="Σ wᵢ sᵢ, on the 50 largest names",
        page="at-the-money-vol",
        evidence=9,
        explained=7,
    ),
    Measure(
        "variance_ratio",
        "ratio",
        "variance ratio",
        "index variance over basket variance",
        "no_quotes",
        formula="index_vol² / basket_vol²",
        evidence=10,
    ),
    Measure(
        "index_vol_bid",
        "vol",
        "index vol on bids",
        "index vol on bids, VWB style",
        "no_bid_variance",
        page="index-vol",
    ),
    Measure(
        "quality_width",
        "vol",
        "quality width",
        "index vol on asks less index vol on bids",
        "no_bid_variance",
        page="index-vol",
        evidence=12,
    ),
)
