"""Market alerts in Alertmanager."""
