"""Choices: settings, baskets, alert rules and the configuration of the services beside us."""
